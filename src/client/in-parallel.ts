/** Runs a step for many items, so many at a time. */
import { type Abortable, listen, stopListening } from '../core/abort-listeners.ts'

/** One step; it ends early where its signal aborts. */
export type Step<Item> = (item: Item, signal: AbortSignal) => Promise<void>

/** The first step that fails ends the others, and its error is thrown when they have ended; so does the caller's signal. */
export async function inParallel<Item>(
  items: readonly Item[],
  { most, signal }: { readonly most: number; readonly signal: AbortSignal | undefined },
  step: Step<Item>
): Promise<void> {
  const controller = new AbortController()
  const listener: Abortable = { handleEvent: () => controller.abort(signal?.reason) }
  if (signal?.aborted) listener.handleEvent()
  else if (signal !== undefined) listen(signal, listener)
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const worker = async () => {
    while (next < items.length && failure === undefined) {
      try {
        await step(items[next++] as Item, controller.signal)
      } catch (error) {
        failure ??= { error }
        controller.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker))
  if (signal !== undefined) stopListening(signal, listener)
  if (failure !== undefined) throw failure.error
}
