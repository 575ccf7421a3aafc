/** One endpoint over one transport: batches on top, then an id and the bearer token for each request, then the transport. */

import { Batcher } from '../batch/batcher.ts'
import type { Credentials } from '../call/credentials.ts'
import { forward } from '../call/interceptor.ts'
import type { PipelineContext } from '../call/pipeline-context.ts'
import type { TransportName } from '../core/error.ts'
import { BlobwireError } from '../core/error.ts'
import type { RetryBudget } from '../retry/budget.ts'
import type { Call, Sink, Transport, UnaryCall } from '../transport/transport.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import type { Channel } from './picker.ts'

/** What all lanes of a client share. */
export interface EndpointChannelContext extends PipelineContext {
  readonly credentials: Credentials | undefined
  readonly budget: RetryBudget
}

/** A lane with what belongs to it. */
export class EndpointChannel implements Channel {
  readonly endpoint: string
  readonly transport: TransportName
  readonly breaker: CircuitBreaker | undefined
  readonly batcher: Batcher | undefined
  readonly #context: EndpointChannelContext
  #opened: Promise<Transport> | undefined
  inFlight = 0
  returnedAtMs = Number.NEGATIVE_INFINITY
  verified = false

  constructor(endpoint: string, transport: TransportName, context: EndpointChannelContext) {
    this.endpoint = endpoint
    this.transport = transport
    this.#context = context
    this.breaker = context.breaker ? new CircuitBreaker(context.clock, context.breaker) : undefined
    this.batcher = context.batch ? this.#newBatcher(context, context.batch) : undefined
  }

  submit(call: Call, sink: Sink): void {
    if (this.batcher) this.batcher.submit(call, sink)
    else forward(this.#unary(call), sink)
  }

  /** Opens its connection, if it has none. A failure is that call's who asked, and the next one tries again. */
  open(): Promise<Transport> {
    this.#opened ??= this.#context.connect(this.endpoint, this.transport).catch((error) => {
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

  #newBatcher(
    context: EndpointChannelContext,
    options: NonNullable<Exclude<PipelineContext['batch'], false>>
  ): Batcher {
    const { clock, counters, limits, headers, codecOf, credentials, budget } = context
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
    const { credentials, newRequestId } = this.#context
    const named = { 'x-request-id': newRequestId(), ...given }
    return credentials ? credentials.addTo(named) : named
  }

  async #unary(call: UnaryCall): Promise<object> {
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
