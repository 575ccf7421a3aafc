/** `ScheduleFunctions` of platform.ts on Node. */

/** Node runs all microtasks before `nextTick` callbacks that microtasks have added. */
export function afterReady(callback: () => void): void {
  queueMicrotask(() => process.nextTick(callback))
}

export function afterInput(callback: () => void): void {
  setImmediate(callback)
}

export function startTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs).unref()
  return () => clearTimeout(timer)
}
