/** One endpoint over one transport: batches on top, then an id and the bearer token for each request, then the transport. */
import type { TransportName } from '../core/error.ts'
import { BlobwireError } from '../core/error.ts'
import type { Call, OutgoingCall, Settle, Transport } from '../transport/transport.ts'
import { Batcher } from './batch/batcher.ts'
import { Breaker } from './breaker.ts'
import type { Credentials } from './credentials.ts'
import type { Lane } from './lanes.ts'
import { forward } from './layer.ts'
import type { PipelineParts } from './parts.ts'
import type { RetryBudget } from './retry/budget.ts'

/** What all lanes of a client share. */
export interface LaneParts extends PipelineParts {
  readonly credentials: Credentials | undefined
  readonly budget: RetryBudget
}

/** A lane with what belongs to it. */
export class EndpointLane implements Lane {
  readonly endpoint: string
  readonly transport: TransportName
  readonly breaker: Breaker | undefined
  readonly batcher: Batcher | undefined
  readonly #parts: LaneParts
  #opened: Promise<Transport> | undefined
  inFlight = 0
  returnedAtMs = Number.NEGATIVE_INFINITY
  proven = false

  constructor(endpoint: string, transport: TransportName, parts: LaneParts) {
    this.endpoint = endpoint
    this.transport = transport
    this.#parts = parts
    this.breaker = parts.breaker ? new Breaker(parts.clock, parts.breaker) : undefined
    this.batcher = parts.batch ? this.#newBatcher(parts, parts.batch) : undefined
  }

  submit(call: Call, settle: Settle): void {
    if (this.batcher) this.batcher.submit(call, settle)
    else forward(this.#unary(call), settle)
  }

  /** Opens its connection, if it has none. A failure is that call's who asked, and the next one tries again. */
  open(): Promise<Transport> {
    this.#opened ??= this.#parts.connect(this.endpoint, this.transport).catch((error) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  /** Lets go of its session and its connection. */
  async close(): Promise<void> {
    this.batcher?.close()
    await this.#opened?.then((open) => open.close()).catch(() => undefined)
  }

  #newBatcher(parts: LaneParts, options: NonNullable<Exclude<PipelineParts['batch'], false>>): Batcher {
    const { clock, counters, limits, headers, codecOf, credentials, budget } = parts
    return new Batcher({
      clock,
      counters,
      options,
      limits,
      operations: { headers, codec: codecOf(this.transport) },
      unary: (call) => this.#unary(call),
      refreshable: credentials?.refreshable ?? false,
      resent: () => budget.charge(),
      open: async (opening) => {
        const [open, all] = await Promise.all([this.open(), this.#headers(headers)])
        return open.openSession({ ...opening, headers: all })
      }
    })
  }

  async #headers(given: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const { credentials, newRequestId } = this.#parts
    const named = { 'x-request-id': newRequestId(), ...given }
    return credentials ? credentials.addTo(named) : named
  }

  async #unary(call: OutgoingCall): Promise<object> {
    const headers = await this.#headers(call.headers)
    const { method, request, signal } = call
    const remainingMs = () => call.remainingMs()
    try {
      return await (await this.open()).unary({ method, request, headers, signal, remainingMs })
    } catch (error) {
      if (!(error instanceof BlobwireError) || error.requestId !== undefined) throw error
      throw error.with({ requestId: headers['x-request-id'] })
    }
  }
}
