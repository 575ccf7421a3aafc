/**
 * One listener for each signal, however many calls have the signal: an `EventTarget` compares a new listener with each that
 * it has, so that thousands of them would stop the event loop for seconds.
 */

/** Told when a signal aborts. */
export interface Abortable {
  handleEvent(): void
}

class Listeners implements Abortable {
  readonly members = new Set<Abortable>()

  handleEvent(): void {
    for (const member of this.members) member.handleEvent()
  }
}

const listeners = new WeakMap<AbortSignal, Listeners>()

/** Tells the listener of the abort, until `stopListening`. The signal has not aborted. */
export function listen(signal: AbortSignal, listener: Abortable): void {
  let all = listeners.get(signal)
  if (all === undefined) {
    all = new Listeners()
    listeners.set(signal, all)
  }
  if (all.members.size === 0) signal.addEventListener('abort', all)
  all.members.add(listener)
}

/** Nothing is left at a signal without listeners. */
export function stopListening(signal: AbortSignal, listener: Abortable): void {
  const all = listeners.get(signal)
  if (all?.members.delete(listener) && all.members.size === 0) signal.removeEventListener('abort', all)
}
