/** Timers that keep the process running, or do not, where the runtime has processes. */

/** A number in browsers and on Deno, an object on Node and Bun. */
export type Timer = ReturnType<typeof setTimeout> | number

interface DenoTimers {
  refTimer(timer: number): void
  unrefTimer(timer: number): void
}

const { Deno: deno } = globalThis as { readonly Deno?: DenoTimers }

/** False where the runtime has no processes that end by themselves: in a browser. */
export function setHold(timer: Timer, isHolding: boolean): boolean {
  if (typeof timer === 'object') timer[isHolding ? 'ref' : 'unref']()
  else if (deno) deno[isHolding ? 'refTimer' : 'unrefTimer'](timer)
  else return false
  return true
}
