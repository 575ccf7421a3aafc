/** `ScheduleFunctions` of platform.ts. */
import { setHold } from './timers.ts'

/** Calls back in a later turn of the event loop: a timer takes up to 4 ms for that, and a second in a hidden page. */
let later: (callback: () => void) => void = (callback) => {
  later = typeof setImmediate === 'function' ? setImmediate : laterByMessages().later
  later(callback)
}

/** Tests use it where there is `setImmediate`, too, and close it, because it keeps a process of Node running. */
export function laterByMessages() {
  const waiting: (() => void)[] = []
  const { port1, port2 } = new MessageChannel()
  port2.onmessage = () => waiting.shift()?.()
  const later = (callback: () => void): void => {
    waiting.push(callback)
    port1.postMessage(undefined)
  }
  return { later, close: () => port1.close() }
}

export function afterReady(callback: () => void): void {
  later(callback)
}

export function afterInput(callback: () => void): void {
  later(() => later(callback))
}

export function startTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs)
  setHold(timer, false)
  return () => clearTimeout(timer)
}
