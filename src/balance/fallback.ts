/** A preference that cannot be had for now: why, and when it is tried again. For transports and for sessions alike. */
import type { Clock } from '../core/clock.ts'

/** How long the preference is left alone at first; doubled with each probe, up to the second. */
const firstProbeMs = 60_000
const lastProbeMs = 600_000

/** Remembers that something else is used instead of the preference. */
export class Fallback {
  readonly #clock: Clock
  readonly #onActivate: ((reason: string) => void) | undefined
  /** Whether something else is used. A field, because every frame asks. */
  isActive = false
  #reason = ''
  #probeAtMs = Number.POSITIVE_INFINITY
  #waitMs = firstProbeMs

  /** `onActivate` hears why, when something else begins to be used. */
  constructor(clock: Clock, onActivate?: (reason: string) => void) {
    this.#clock = clock
    this.#onActivate = onActivate
  }

  /** Why the preference is not used: the reason or code of the error that said so; empty while it is used. */
  get reason(): string {
    return this.#reason
  }

  /** The preference cannot be had. A probe that fails does not put off the next one. */
  activate({ reason, code }: { readonly reason: string; readonly code: string }): void {
    if (!this.isActive) this.#probeAtMs = this.#clock.now() + this.#waitMs
    this.#setReason(reason || code)
  }

  /** The same, and it is not worth a probe for as long as there is. */
  activateForLong(reason: string): void {
    this.#setReason(reason)
    this.#probeAtMs = this.#clock.now() + lastProbeMs
  }

  /** The preference cannot be had in this runtime. */
  activateForGood(reason: string): void {
    this.#reason = reason
    this.isActive = true
  }

  /** Whether it is time to try the preference again. Asking sets the time of the next probe. */
  takeProbe(): boolean {
    const now = this.#clock.now()
    if (!this.isActive || now < this.#probeAtMs) return false
    this.#waitMs = Math.min(this.#waitMs * 2, lastProbeMs)
    this.#probeAtMs = now + this.#waitMs
    return true
  }

  /** The preference is used again, for as long as it lasts. */
  tryPreference(): void {
    this.#setReason('')
  }

  /** The preference works. */
  restore(): void {
    this.#setReason('')
    this.#waitMs = firstProbeMs
  }

  #setReason(reason: string): void {
    if (reason !== '' && !this.isActive) this.#onActivate?.(reason)
    this.#reason = reason
    this.isActive = reason !== ''
  }
}
