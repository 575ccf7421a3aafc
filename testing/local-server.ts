/** A server without listeners: its store, its service and its faults, for clients in the same process. */
import { type Authenticator, createAuthenticator } from '../server-fixture/auth.ts'
import { type Effect, withEffects } from '../server-fixture/faults/effects.ts'
import type { Faults } from '../server-fixture/faults/faults.ts'
import { withFaults } from '../server-fixture/faults/faulty-service.ts'
import { MemoryBudget } from '../server-fixture/memory-budget.ts'
import { ServerMetrics } from '../server-fixture/metrics/server-metrics.ts'
import { packageVersion } from '../server-fixture/server-facts.ts'
import type { ServerOptions } from '../server-fixture/server-options.ts'
import { requestIdOf } from '../server-fixture/service/context.ts'
import { Service } from '../server-fixture/service/service.ts'
import type { VcsService } from '../server-fixture/service/vcs-service.ts'
import { MemoryStore } from '../server-fixture/store/memory-store.ts'
import { BlobwireError } from '../src/core/error.ts'
import { errorFromResponse } from '../src/transport/http/errors.ts'
import { CallStream } from './local-stream.ts'

/** How a `LocalServer` is made. */
export interface LocalServerOptions extends Pick<ServerOptions, 'grants' | 'limits' | 'watches'> {
  readonly faults: Faults
  readonly onEffect: (effect: Effect) => void
}

export class LocalServer {
  readonly service: VcsService
  readonly authenticator: Authenticator
  readonly memory: MemoryBudget
  readonly metrics: ServerMetrics = new ServerMetrics({ isReady: () => true })
  readonly #draining = new AbortController()
  readonly #faults: Faults

  constructor({ faults, onEffect, grants = [], limits, watches }: LocalServerOptions) {
    this.#faults = faults
    const service = new Service(withEffects(new MemoryStore(), onEffect), {
      ...(limits ? { limits } : {}),
      watches,
      serverVersion: packageVersion(),
      onInternalError: (error) => process.emitWarning(error instanceof Error ? error : String(error))
    })
    this.service = withFaults(service, faults)
    this.authenticator = createAuthenticator(grants)
    this.memory = new MemoryBudget(service.limits)
  }

  /** Aborts when the server takes no more calls. */
  get draining(): AbortSignal {
    return this.#draining.signal
  }

  /**
   * A call arrives.
   *
   * @param rpc in the words of the proto: `StoreBlob`, `Session`
   * @throws BlobwireError of a fault, or where the server is closed
   */
  arrive(rpc: string, headers: Readonly<Record<string, string>>): { requestId: string; stream: CallStream } {
    if (this.draining.aborted) throw refused('the server is closed')
    const requestId = requestIdOf(headers['x-request-id'])
    const stream = new CallStream()
    const fault = this.#faults.watchLocal(rpc, requestId, stream)
    if (fault === undefined) return { requestId, stream }
    stream.close()
    if (fault.kind !== 'http_status') throw refused('the server refused the request without processing it')
    const error = errorFromResponse(fault.status, 'text/html', new Uint8Array(0)).with({ attempts: 1 })
    const { retryAfterSeconds: seconds } = fault
    throw seconds === undefined ? error : error.with({ details: { retryAfterMs: seconds * 1000 } })
  }

  /** Ends the sessions, and refuses further calls. */
  close(): void {
    this.#draining.abort()
    this.metrics.close()
  }
}

function refused(message: string): BlobwireError {
  return new BlobwireError({ reason: 'refused', message, sent: 'never', attempts: 1 })
}
