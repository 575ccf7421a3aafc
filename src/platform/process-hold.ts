/** `ProcessFunctions` of platform.ts on Node. */
import type { Abandonable } from './platform.ts'

/** Time between two looks at what outlives the work, in milliseconds. */
const lookMs = 100

/** The longest interval of a timer, whose only purpose is to be there. */
const longestMs = 2 ** 31 - 1

/** Requests to the system, by the names that `process.getActiveResourcesInfo` gives them. */
const systemRequest = /^(TCP)?ConnectWrap$|WriteWrap$|^ShutdownWrap$|ReqWrap$/
/** Output of the process, which is in the list and does not hold it. */
const output = /^(Pipe|TTY)Wrap$/
/** stdout and stderr. */
const outputs = 2

const abandonables = new Set<Abandonable>()
let underWay = 0
let handle: NodeJS.Timeout | undefined
let isLooking = false

export function beginWork(): void {
  if (underWay++ > 0) return
  handle ??= setInterval(() => undefined, longestMs)
  handle.ref()
}

export function endWork(): void {
  if (--underWay > 0) return
  handle?.unref()
  if (!isLooking && abandonables.size > 0) lookLater()
}

export function abandonAfterWork(abandonable: Abandonable): () => void {
  abandonables.add(abandonable)
  return () => abandonables.delete(abandonable)
}

/** This timer holds nothing: where the process ends before it, there was nothing to abandon. */
function lookLater(): void {
  isLooking = true
  setTimeout(look, lookMs).unref()
}

function look(): void {
  isLooking = false
  if (underWay > 0) return
  const pending = [...abandonables].filter((each) => each.isPending())
  if (pending.length === 0) return
  const others = process.getActiveResourcesInfo().filter((name) => !systemRequest.test(name))
  const isAllElseDone = others.length <= outputs && others.every((name) => output.test(name))
  if (isAllElseDone) for (const each of pending) each.abandon()
  lookLater()
}
