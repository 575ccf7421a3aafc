/**
 * Turns of decoding. A large message can take as long to decode as hundreds of small calls to serve, and many may come at
 * once: the event loop serves others between two of them.
 */
import type { MessageName } from '../src/schema/descriptor.ts'
import type { Messages } from '../src/schema/messages.ts'

/** Smaller messages are decoded at once. */
const largeBytes = 64 * 1024
/** Time for large messages in one turn of the event loop: after that, the others wait for the next turn. */
const maxTurnMs = 10
/** Turns of the event loop for others after that: a small call takes several, from its bytes to its answer. */
const othersTurns = 4

type Decode<Name extends MessageName> = (type: Name, bytes: Uint8Array) => Messages[Name]

/** The large messages of a process. */
export class DecodeTurns {
  readonly #now: () => number
  readonly #waiting: (() => void)[] = []
  #spentMs = 0
  #hasTurn = false
  /** Turns for others since the last large message. */
  #given = 0

  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /** Messages that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * The message that `decode` makes of the bytes; a promise where they have to wait. Those that wait are decoded in order.
   * @throws the errors of `decode`
   */
  decode<Name extends MessageName>(
    decode: Decode<Name>,
    type: Name,
    bytes: Uint8Array
  ): Messages[Name] | Promise<Messages[Name]> {
    if (bytes.length < largeBytes) return decode(type, bytes)
    if (this.#waiting.length === 0 && this.#spentMs < maxTurnMs) return this.#timed(() => decode(type, bytes))
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#timed(() => decode(type, bytes)))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  #timed<Result>(work: () => Result): Result {
    const began = this.#now()
    if (!this.#hasTurn) {
      this.#hasTurn = true
      setImmediate(this.#nextTurn)
    }
    try {
      return work()
    } finally {
      this.#spentMs += this.#now() - began
    }
  }

  /** The next turn of the event loop, after it has looked at its sockets. */
  readonly #nextTurn = (): void => {
    if (this.#spentMs >= maxTurnMs && this.#given < othersTurns) {
      this.#given++
      setImmediate(this.#nextTurn)
      return
    }
    this.#spentMs = 0
    this.#given = 0
    this.#hasTurn = false
    while (this.#spentMs < maxTurnMs) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      next()
    }
  }
}

/** Of this process, whose servers share one event loop. */
export const decodeTurns: DecodeTurns = new DecodeTurns()
