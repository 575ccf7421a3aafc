/** When an endpoint last answered, and how long its answers usually take. */
import { LatencyHistogram } from './latency-histogram.ts'

/** Silence for less than this proves nothing: the machine may be busy. */
const leastSilenceMs = 1000
/** The share of the usual time that is left after each answer that took less. */
const fading = 0.98

/** Noted once for each frame or request, not for each call. */
export class AnswerTimes {
  /** When the last answer came, on the clock's time. */
  lastAtMs = Number.NEGATIVE_INFINITY
  /** Round trips of frames and requests. */
  readonly latency: LatencyHistogram
  /** The longest time of an answer, which fades with each later one. */
  #usualMs = 0
  readonly #onAnswer: ((nowMs: number, durationMs: number) => void) | undefined

  constructor(onAnswer?: (nowMs: number, durationMs: number) => void, latency = new LatencyHistogram()) {
    this.#onAnswer = onAnswer
    this.latency = latency
  }

  /** A frame or a request was answered, this long after it was sent. */
  note(nowMs: number, durationMs: number): void {
    this.lastAtMs = nowMs
    this.latency.record(durationMs)
    this.#usualMs = Math.max(durationMs, this.#usualMs * fading)
    this.#onAnswer?.(nowMs, durationMs)
  }

  /** Whether an attempt without an answer says something about the endpoint: nothing else was answered meanwhile, either. */
  isSilence(beganAtMs: number, nowMs: number): boolean {
    const waitedMs = nowMs - beganAtMs
    return waitedMs >= leastSilenceMs && waitedMs >= this.#usualMs && this.lastAtMs < beganAtMs
  }
}
