/** Waits of tests for states of other processes. */
import { later } from './until.ts'

/** Resolves once the state is reached. @throws Error that names the state, where it is not reached in 30 s */
export async function untilAsync(isReached: () => Promise<boolean>, state: string): Promise<void> {
  const endsAt = performance.now() + 30_000
  while (!(await isReached())) {
    if (performance.now() > endsAt) throw new Error(`not reached within 30 s: ${state}`)
    await later(10)
  }
}
