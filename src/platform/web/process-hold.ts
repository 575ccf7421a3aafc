/** `ProcessFunctions` of platform.ts. */
import type { Abandonable } from '../platform.ts'
import { setHold, type Timer } from './timers.ts'

/** The longest interval of a timer, whose only purpose is to be there. */
const longestMs = 2 ** 31 - 1

let underWay = 0
let handle: Timer | undefined
let hasProcess = true

export function beginWork(): void {
  if (underWay++ > 0 || !hasProcess) return
  handle ??= setInterval(() => undefined, longestMs)
  hasProcess = setHold(handle, true)
  if (!hasProcess) clearInterval(handle)
}

export function endWork(): void {
  if (--underWay === 0 && handle !== undefined) setHold(handle, false)
}

/** A request of `fetch` ends by its signal: nothing else is pending. */
export function abandonAfterWork(_abandonable: Abandonable): () => void {
  return () => undefined
}
