/** One direction of one proxied connection. */
import type { Socket } from 'node:net'

/** The state of the wire in one direction. */
export interface DirectionSettings {
  /** Time that each chunk is under way. */
  latencyMs: number
  /** Latency is exact to 0.1 ms; timers alone add up to 2 ms. It costs processor time: the last 2 ms are waited for awake. */
  isExact: boolean
  /** Up to so much more or less, at random; chunks never overtake each other. */
  jitterMs: number
  /** Infinity = as fast as the receiver reads. */
  bytesPerSecond: number
  /** Chunks are cut into pieces of this many bytes, each written by itself. */
  sliceBytes: number
  /** Nothing passes, neither bytes nor ends; all that was held passes when this is switched off. */
  blackHole: boolean
  /** After so many bytes of a connection both sides are reset (RST); bytes beyond do not pass. */
  resetAfterBytes: number
  /** After so many bytes of a connection both sides are ended (FIN); bytes beyond do not pass. */
  cutAfterBytes: number
  /** Bytes held for a receiver that is slow or far away; beyond it the sender is not read. */
  maxHeldBytes: number
}

/** A wire without faults. */
export const soundWire: Readonly<DirectionSettings> = {
  latencyMs: 0,
  isExact: false,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: Number.POSITIVE_INFINITY,
  blackHole: false,
  resetAfterBytes: Number.POSITIVE_INFINITY,
  cutAfterBytes: Number.POSITIVE_INFINITY,
  maxHeldBytes: 1024 * 1024
}

/** The proxy's part in a direction. */
export interface DirectionOptions {
  /** Read anew for each piece: settings change while connections are open. */
  readonly settings: Readonly<DirectionSettings>
  /** So many bytes have gone to the sink. */
  readonly onBytes: (count: number) => void
  /** One of the limits has been reached. */
  readonly onLimit: (how: 'reset' | 'cut') => void
}

/** A slow wire is paced in steps of this many milliseconds. */
const paceMs = 10
/** Timers are late by up to so much. */
const timerMs = 2

interface Item {
  bytes: Buffer
  readonly dueAtMs: number
  /** The last of a direction: an end or a reset by its source. */
  readonly end?: 'end' | 'reset'
}

/** Keeps the order of its bytes, and does not read more than it can pass on. */
export class Direction {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #options: DirectionOptions
  readonly #queue: Item[] = []
  #held = 0
  #passed = 0
  /** No item is due before the one in front of it. */
  #lastDueMs = 0
  /** When the wire is free for the next piece. */
  #freeAtMs = 0
  #blocked = false
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #over = false

  constructor(source: Socket, sink: Socket, options: DirectionOptions) {
    this.#source = source
    this.#sink = sink
    this.#options = options
    // Slices written before the connection stands would arrive in one piece.
    this.#blocked = sink.connecting
    let ended = false
    source.on('data', (bytes: Buffer) => this.#take({ bytes, dueAtMs: this.#due() }))
    source.on('end', () => {
      ended = true
      this.#take({ bytes: Buffer.alloc(0), dueAtMs: this.#due(), end: 'end' })
    })
    source.on('close', (hadError) => {
      // A source that has ended can still be reset, by bytes that arrive when nobody reads any more.
      if (!ended || hadError) this.#take({ bytes: Buffer.alloc(0), dueAtMs: this.#due(), end: 'reset' })
    })
    const goOn = () => {
      this.#blocked = false
      this.pump()
    }
    sink.on('connect', goOn)
    sink.on('drain', goOn)
    sink.on('close', () => this.stop())
  }

  /** Passes on nothing any more. */
  stop(): void {
    this.#over = true
    this.#queue.length = 0
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    // The end of a source is noticed only while the source is read.
    this.#source.resume()
  }

  /** Passes on all that is due. To be called when settings have changed. */
  pump(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    while (!this.#over && !this.#blocked && !this.#options.settings.blackHole) {
      const [item] = this.#queue
      if (item === undefined) return
      const waitMs = Math.max(item.dueAtMs, this.#freeAtMs) - performance.now()
      if (waitMs > 0) {
        const { isExact } = this.#options.settings
        if (isExact && waitMs <= timerMs) this.#pumpNextTurn()
        else this.#timer = setTimeout(() => this.pump(), isExact ? waitMs - timerMs : waitMs)
        return
      }
      this.#pass(item)
      if (item.bytes.length === 0) this.#queue.shift()
      else if (this.#isSliced) return this.#pumpNextTurn()
    }
  }

  get #isSliced(): boolean {
    return Number.isFinite(this.#options.settings.sliceBytes)
  }

  /** Pieces that are written in one turn of the event loop would be read as one. */
  #pumpNextTurn(): void {
    this.#immediate ??= setImmediate(() => this.pump())
  }

  #due(): number {
    const { latencyMs, jitterMs } = this.#options.settings
    const delayMs = latencyMs + jitterMs * (2 * Math.random() - 1)
    this.#lastDueMs = Math.max(this.#lastDueMs, performance.now() + Math.max(0, delayMs))
    return this.#lastDueMs
  }

  #take(item: Item): void {
    if (this.#over) return
    this.#queue.push(item)
    this.#held += item.bytes.length
    if (this.#held > this.#options.settings.maxHeldBytes) this.#source.pause()
    if (this.#isSliced) this.#pumpNextTurn()
    else this.pump()
  }

  #pass(item: Item): void {
    const { settings, onBytes, onLimit } = this.#options
    if (item.end === 'end') this.#sink.end()
    if (item.end === 'reset') resetSocket(this.#sink)
    if (item.end) return
    const { bytesPerSecond, sliceBytes, resetAfterBytes, cutAfterBytes } = settings
    const limit = Math.max(0, Math.min(resetAfterBytes, cutAfterBytes) - this.#passed)
    const paced = Math.max(1, Math.floor((bytesPerSecond * paceMs) / 1000))
    const piece = item.bytes.subarray(0, Math.min(item.bytes.length, sliceBytes, paced, limit))
    item.bytes = item.bytes.subarray(piece.length)
    this.#held -= piece.length
    this.#passed += piece.length
    this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + (piece.length * 1000) / bytesPerSecond
    const isLast = piece.length === limit
    if (isLast) this.#over = true
    this.#blocked = !this.#sink.write(piece, () => {
      // The bytes are in the receiver's hands before its connection breaks.
      if (isLast) setImmediate(() => onLimit(resetAfterBytes <= cutAfterBytes ? 'reset' : 'cut'))
    })
    onBytes(piece.length)
    if (this.#held <= settings.maxHeldBytes) this.#source.resume()
  }
}

/**
 * Resets a connection (RST). While a FIN is on its way, Node cannot: `resetAndDestroy` fails with EINVAL, the socket is
 * never closed, and at the end of its process Node 20 to 26 waits for it in an endless loop. So the FIN leaves first.
 */
export function resetSocket(socket: Socket): void {
  const isShutting = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (isShutting && !socket.connecting) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}
