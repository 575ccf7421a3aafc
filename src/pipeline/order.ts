/**
 * The order of the layers, on one screen. From the outside in:
 *
 *   telemetry      counts calls and failures
 *   deadline       the one end of a call: answer, time-out, abort, closed client
 *   interceptors   the application's own, in the order it gave them; once for each call
 *   batch          gathers calls into frames of a session; what cannot travel there goes on by itself
 *   request        an id for each request and each session, and the bearer token
 *   transport      JSON, MessagePack or gRPC
 *
 * An example: a call with a deadline of 30 s whose interceptor waits 1 s joins the frame that is being gathered, 29 s
 * before its end; if it ends first, the server is asked to stop it. Had the interceptor given it a header, it would have
 * gone as a request of its own, with an id and a token, and the server told of what is left of the 29 s.
 * test/pipeline/order.test.ts pins this.
 */
import type { Codec } from '../codec/codec.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import type { Call, EndListener, Settle, Transport } from '../transport/transport.ts'
import { Batcher } from './batch/batcher.ts'
import type { ResolvedBatchOptions } from './batch/options.ts'
import { Credentials, type Token } from './credentials.ts'
import { Deadline, type Draft } from './deadline.ts'
import { compose, forward, type Interceptor, type Next } from './layer.ts'

/** What the layers are made from. */
export interface PipelineParts {
  readonly clock: Clock
  readonly counters: Counters
  readonly interceptors: readonly Interceptor[]
  readonly token: Token | undefined
  /** Headers of every call; calls with others travel alone. */
  readonly headers: Readonly<Record<string, string>>
  /** False = every call is a request of its own. */
  readonly batch: ResolvedBatchOptions | false
  readonly codec: Codec
  /** Told by errors of calls that were sent. */
  readonly transportName: TransportName
  readonly limits: () => Messages['Limits']
  /** A new id for a request or a session. */
  readonly newRequestId: () => string
  readonly transport: () => Promise<Transport>
}

/** Sends calls through all layers. */
export interface Pipeline {
  readonly batcher: Batcher | undefined
  /** The response message. @throws BlobwireError */
  run(draft: Draft): Promise<object>
  /** Ends all calls with `cancelled`, reason `client_closed`. */
  close(): void
}

/** Builds the layers once. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { clock, counters, interceptors } = parts
  const deadline = new Deadline(clock, (error) => {
    counters.failures++
    return withTransport(asBlobwireError(error), parts.transportName)
  })
  const request = requestLayer(parts)
  const batcher = parts.batch ? newBatcher(parts, parts.batch, request) : undefined
  const start = entrance(interceptors, batcher, request.unary)
  return {
    batcher,
    run(draft) {
      counters.calls++
      return deadline.run(draft, start)
    },
    close() {
      deadline.close()
      batcher?.close()
    }
  }
}

type Entrance = (call: Call, settle: Settle) => void

/** What is below the deadline. Without interceptors a call needs no promises of its own there. */
function entrance(interceptors: readonly Interceptor[], batcher: Batcher | undefined, unary: Next): Entrance {
  if (interceptors.length === 0) {
    return batcher ? (call, settle) => batcher.submit(call, settle) : (call, settle) => forward(unary(call), settle)
  }
  const innermost: Next = batcher ? (call) => submitted(batcher, call) : unary
  const next = compose(interceptors, innermost)
  // An application's own functions may spread a call, which must then have all its parts for itself.
  return (call, settle) => forward(next(plainCall(call)), settle)
}

function submitted(batcher: Batcher, call: Call): Promise<object> {
  return new Promise((succeed, fail) => batcher.submit(call, { succeed, fail }))
}

function plainCall(call: Call): Call {
  const { method, request, headers, signal } = call
  return {
    method,
    request,
    headers,
    signal,
    remainingMs: () => call.remainingMs(),
    whenEnded: (listener) => call.whenEnded(listener)
  }
}

interface RequestLayer {
  readonly unary: Next
  readonly headers: () => Promise<Record<string, string>>
  readonly refreshable: boolean
}

function requestLayer({ token, headers, newRequestId, transport }: PipelineParts): RequestLayer {
  const credentials = token === undefined ? undefined : new Credentials(token)
  const complete = async (given: Readonly<Record<string, string>>): Promise<Record<string, string>> => {
    const named = { 'x-request-id': newRequestId(), ...given }
    return credentials ? credentials.addTo(named) : named
  }
  return {
    refreshable: credentials?.refreshable ?? false,
    headers: () => complete(headers),
    async unary(call) {
      const all = await complete(call.headers)
      const { method, request, signal } = call
      const remainingMs = () => call.remainingMs()
      const whenEnded = (listener: EndListener) => call.whenEnded(listener)
      try {
        return await (await transport()).unary({ method, request, headers: all, signal, remainingMs, whenEnded })
      } catch (error) {
        if (error instanceof BlobwireError && error.requestId === undefined) {
          throw error.with({ requestId: all['x-request-id'] })
        }
        throw error
      }
    }
  }
}

function newBatcher(parts: PipelineParts, options: ResolvedBatchOptions, request: RequestLayer): Batcher {
  const { clock, counters, limits, headers, codec, transport } = parts
  return new Batcher({
    clock,
    counters,
    options,
    limits,
    operations: { headers, codec },
    unary: request.unary,
    refreshable: request.refreshable,
    async open(opening) {
      const [open, all] = await Promise.all([transport(), request.headers()])
      return open.openSession({ ...opening, headers: all })
    }
  })
}

/** Errors of operations in a frame come without: what travels there is the same for all transports. */
function withTransport(error: BlobwireError, transport: TransportName): BlobwireError {
  return error.transport === undefined && error.sent !== 'never' ? error.with({ transport }) : error
}

function asBlobwireError(exception: unknown): BlobwireError {
  if (exception instanceof BlobwireError) return exception
  // Only an application's own interceptor gets here.
  const message = `an interceptor failed: ${exception instanceof Error ? exception.message : String(exception)}`
  return new BlobwireError({ code: 'unknown', reason: 'interceptor', message, cause: exception })
}
