/** Questions to the process at the other end of a channel. */
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Answers, FromWorker } from './messages.ts'

type Question = Extract<FromWorker, { kind: 'question' }>

export class Questions {
  readonly #send: (question: Question) => void
  readonly #clock: Clock
  readonly #waiting = new Map<number, (answer: Answers[keyof Answers] | undefined) => void>()
  #lastId = 0

  constructor(send: (question: Question) => void, clock: Clock = systemClock) {
    this.#send = send
    this.#clock = clock
  }

  /** Undefined = no answer came in time. */
  ask<About extends keyof Answers>(about: About, timeoutMs: number): Promise<Answers[About] | undefined> {
    return new Promise((resolve) => {
      const id = ++this.#lastId
      const settle = (answer: Answers[keyof Answers] | undefined) => {
        cancel()
        this.#waiting.delete(id)
        resolve(answer as Answers[About] | undefined)
      }
      const cancel = this.#clock.schedule(timeoutMs, () => settle(undefined))
      this.#waiting.set(id, settle)
      this.#send({ kind: 'question', id, about })
    })
  }

  answered({ id, answer }: Extract<FromWorker, { kind: 'answer' }>): void {
    this.#waiting.get(id)?.(answer)
  }

  /** The other process has ended. */
  end(): void {
    for (const settle of [...this.#waiting.values()]) settle(undefined)
  }
}
