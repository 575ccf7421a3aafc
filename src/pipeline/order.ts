/**
 * The order of the layers, on one screen. From the outside in:
 *
 *   telemetry      counts calls and failures; names the request in its errors
 *   deadline       the one end of a call: answer, time-out, abort, closed client
 *   interceptors   the application's own, in the order it gave them; once for each call
 *   credentials    the bearer token
 *   transport      JSON, MessagePack or gRPC
 *
 * An example: a call with a deadline of 30 s whose interceptor waits 1 s and whose token takes 2 s leaves the transport,
 * and so the server, 27 s; it counts as one call and, once sent, one request. test/pipeline/order.test.ts pins this.
 */
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError } from '../core/error.ts'
import { credentials, type Token } from './credentials.ts'
import { Deadline, type Draft } from './deadline.ts'
import { compose, type Interceptor, type Next } from './layer.ts'

/** What the layers are made from. */
export interface PipelineParts {
  readonly clock: Clock
  readonly counters: Counters
  readonly interceptors: readonly Interceptor[]
  readonly token: Token | undefined
  readonly transport: Next
}

/** Sends calls through all layers. */
export interface Pipeline {
  /** The response message. @throws BlobwireError */
  run(draft: Draft): Promise<object>
  /** Ends all calls with `cancelled`, reason `client_closed`. */
  close(): void
}

/** Builds the layers once. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { clock, counters, interceptors, token, transport } = parts
  const deadline = new Deadline(clock)
  const next = compose([...interceptors, ...(token === undefined ? [] : [credentials(token)])], transport)
  return {
    async run(draft) {
      counters.calls++
      try {
        return await deadline.run(draft, next)
      } catch (exception) {
        counters.failures++
        throw named(exception, draft)
      }
    },
    close: () => deadline.close()
  }
}

function named(exception: unknown, draft: Draft): BlobwireError {
  const requestId = draft.headers['x-request-id']
  if (exception instanceof BlobwireError) {
    return exception.requestId === undefined ? exception.with({ requestId }) : exception
  }
  // Only an application's own interceptor gets here.
  const message = `an interceptor failed: ${exception instanceof Error ? exception.message : String(exception)}`
  return new BlobwireError({ code: 'unknown', reason: 'interceptor', message, requestId, cause: exception })
}
