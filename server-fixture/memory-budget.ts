/**
 * The budget of bytes that requests hold, of all connections together and of each: bodies while they arrive, messages
 * while they are decompressed, and requests until they are answered.
 */
import { BlobwireError } from '../src/core/error.ts'
import type { MemoryFigures } from './metrics/snapshot.ts'
import { UnreadStreams } from './unread-streams.ts'

/** The part of the budget that only requests up to `smallBytes` may use, so that large ones do not keep out the rest. */
const reservedShare = 1 / 8
const smallBytes = 64 * 1024
/** What a refused caller is told to wait. */
const retryAfterMs = 250

/** Bounds of the budget. */
export interface MemoryLimits {
  readonly maxInFlightBytes: number
  readonly maxConnectionInFlightBytes: number
  readonly maxBatchBytes: number
}

/** The budget of a server. Its numbers are a gauge for tests and the log. */
export class MemoryBudget {
  readonly maxBytes: number
  readonly maxConnectionBytes: number
  heldBytes = 0
  peakBytes = 0
  refusals = 0
  /** Sessions that are not read; with what requests hold, they have twice the budget. */
  readonly unread = new UnreadStreams(() => 2 * this.maxBytes - this.heldBytes)
  readonly #connections = new WeakMap<object, ConnectionBudget>()

  /** @throws RangeError where a full request would never have room */
  constructor(limits: MemoryLimits) {
    const { maxBatchBytes } = limits
    if (limits.maxConnectionInFlightBytes < 2 * maxBatchBytes) {
      throw new RangeError(`maxConnectionInFlightBytes: must be at least twice maxBatchBytes (${maxBatchBytes})`)
    }
    if (limits.maxInFlightBytes < limits.maxConnectionInFlightBytes * (1 + 2 * reservedShare)) {
      throw new RangeError('maxInFlightBytes: must be at least a quarter more than maxConnectionInFlightBytes')
    }
    this.maxBytes = limits.maxInFlightBytes
    this.maxConnectionBytes = limits.maxConnectionInFlightBytes
  }

  figures(): MemoryFigures {
    const { heldBytes, maxBytes, refusals, unread } = this
    return { heldBytes, maxBytes, refusals, unreadBytes: unread.bytes }
  }

  /** The budget of a connection: of a session of HTTP/2, or a socket of HTTP/1.1. */
  of(connection: object): ConnectionBudget {
    let budget = this.#connections.get(connection)
    if (budget === undefined) {
      budget = new ConnectionBudget(this)
      this.#connections.set(connection, budget)
    }
    return budget
  }
}

/** The share of one connection. */
export class ConnectionBudget {
  readonly unread: UnreadStreams
  readonly #server: MemoryBudget
  #heldBytes = 0
  readonly #onRoom = new Set<() => void>()

  constructor(server: MemoryBudget) {
    this.#server = server
    this.unread = server.unread
  }

  /** The connection holds more than half of its share: its sessions are read on when there is room again. */
  get isBusy(): boolean {
    return this.#heldBytes > this.#server.maxConnectionBytes / 2
  }

  /** Calls the listener whenever `isBusy` becomes false. Returns the function that removes it. */
  onRoom(listener: () => void): () => void {
    this.#onRoom.add(listener)
    return () => this.#onRoom.delete(listener)
  }

  /** How much more a request of so many bytes may hold. */
  leftFor(requestBytes: number): number {
    return Math.max(0, Math.min(this.#server.maxConnectionBytes - this.#heldBytes, this.#serverLeft(requestBytes)))
  }

  /** @throws BlobwireError `resource_exhausted`, reason `connection_full` or `server_full` */
  take(bytes: number, requestBytes: number): void {
    if (bytes > this.leftFor(requestBytes)) throw this.refusal(bytes, requestBytes)
    const server = this.#server
    this.#heldBytes += bytes
    server.heldBytes += bytes
    if (server.heldBytes > server.peakBytes) server.peakBytes = server.heldBytes
  }

  release(bytes: number): void {
    const wasBusy = this.isBusy
    this.#heldBytes -= bytes
    this.#server.heldBytes -= bytes
    if (wasBusy && !this.isBusy) for (const listener of this.#onRoom) listener()
  }

  /** The refusal of so many bytes more. */
  refusal(bytes: number, requestBytes: number): BlobwireError {
    this.#server.refusals++
    const details = { retryAfterMs }
    if (bytes <= this.#serverLeft(requestBytes)) {
      const message = `the requests of this connection hold max_connection_in_flight_bytes (${this.#server.maxConnectionBytes})`
      return new BlobwireError({ reason: 'connection_full', message, details })
    }
    const message = `the requests that the server works on hold max_in_flight_bytes (${this.#server.maxBytes})`
    return new BlobwireError({ reason: 'server_full', message, details })
  }

  #serverLeft(requestBytes: number): number {
    const { maxBytes, heldBytes } = this.#server
    return (requestBytes > smallBytes ? maxBytes * (1 - reservedShare) : maxBytes) - heldBytes
  }
}

/** Whether the error is a refusal of the budget. */
export function isFull(error: unknown): error is BlobwireError {
  return error instanceof BlobwireError && (error.reason === 'server_full' || error.reason === 'connection_full')
}

/** The bytes that one request holds, or one stream of messages before they are complete. */
export class Charge {
  readonly connection: ConnectionBudget
  #bytes = 0

  constructor(connection: ConnectionBudget) {
    this.connection = connection
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How much more may be added. */
  leftFor(bytes: number): number {
    return this.connection.leftFor(this.#bytes + bytes)
  }

  /** @throws BlobwireError as `ConnectionBudget.take` */
  add(bytes: number): void {
    this.connection.take(bytes, this.#bytes + bytes)
    this.#bytes += bytes
  }

  /** The error of bytes that `leftFor` has no room for. */
  refusal(bytes: number): BlobwireError {
    return this.connection.refusal(bytes, this.#bytes + bytes)
  }

  /** Hands bytes over to a charge of their own: a stream's to the message that they make. */
  split(bytes: number): Charge {
    const part = new Charge(this.connection)
    part.#bytes = bytes
    this.#bytes -= bytes
    return part
  }

  /** Gives back some bytes, or all. */
  release(bytes = this.#bytes): void {
    this.#bytes -= bytes
    this.connection.release(bytes)
  }
}
