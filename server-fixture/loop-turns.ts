/** Turns of the event loop, which long work shares with everything else. */

/** All long work together gives other work a turn after this time. */
const sliceMs = 5
/** Transfers of large blobs are long, and beside small calls: these wait for no more than a few chunks. */
const transferSliceMs = 0.25

/** The slice of the event loop that all long work of the process shares. */
const slice: { startedAtMs: number; next: Promise<void> | undefined } = { startedAtMs: 0, next: undefined }

function nextSlice(): Promise<void> {
  slice.next ??= new Promise((resolve) => {
    setImmediate(() => {
      slice.next = undefined
      slice.startedAtMs = performance.now()
      resolve()
    })
  })
  return slice.next
}

/** Begins long work: a slice in which nobody worked since the event loop last waited begins anew. */
export function beginTurn(now: number): void {
  if (slice.next === undefined && now > slice.startedAtMs + sliceMs) slice.startedAtMs = now
}

/** Asked between two pieces of long work, which waits for the promise where there is one. */
export function turnOver(now: number): Promise<void> | undefined {
  return now >= slice.startedAtMs + sliceMs ? nextSlice() : undefined
}

/** The same between two chunks of a large blob. */
export function chunkOver(): Promise<void> | undefined {
  return performance.now() >= slice.startedAtMs + transferSliceMs ? nextSlice() : undefined
}
