/**
 * Waits of tests. A busy machine makes all timers of a process late alike, so these judge the order of events in this
 * process, and no test has to judge how long something takes.
 */

/** Resolves after so many milliseconds. */
export const later = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs))

/** Resolves once the state is reached. @throws Error that names the state, where it is not reached in 30 s */
export async function until(isReached: () => boolean, state: string): Promise<void> {
  const endsAt = performance.now() + 30_000
  while (!isReached()) {
    if (performance.now() > endsAt) throw new Error(`not reached within 30 s: ${state}`)
    await later(2)
  }
}

/** The work's own end. @throws Error where a timer that was started at the same time fires before the work settles */
export async function settlesWithin<Result>(work: Promise<Result>, limitMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled before a timer of ${limitMs} ms`)), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The work's own end. @throws Error where the work does not settle within ten turns of the event loop */
export async function settlesAtOnce<Result>(work: Promise<Result>): Promise<Result> {
  const late = async (): Promise<never> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    throw new Error('not settled at once')
  }
  return Promise.race([work, late()])
}

/** A clock that counts the CPU time of this process, in milliseconds: it stands still while other processes run. */
export function startCpuClock(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}
