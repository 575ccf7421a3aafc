/** Waits that grow, with jitter: many servers that lost one database do not come back all at once. */
import type { Clock } from '../../../../src/core/clock.ts'

/** Half to all of the time. */
export function withJitter(ms: number): number {
  return ms * (0.5 + Math.random() / 2)
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(ms, resolve))
}

/** The same for a call: it keeps the process of a program running that has no other work, such as a server that starts. */
export async function pauseCall(clock: Clock, ms: number): Promise<void> {
  const processHold = setInterval(() => undefined, 2 ** 30)
  try {
    await sleep(clock, ms)
  } finally {
    clearInterval(processHold)
  }
}
