import type { Authenticator } from '../auth.ts'
import type { Service } from '../service/service.ts'

/** What the gRPC door stands on. */
export interface GrpcParts {
  readonly service: Service
  readonly authenticator: Authenticator
  readonly newRequestId: () => string
  /** Calls that are being answered. */
  readonly calls: Set<Promise<object>>
  /** Aborts when the server takes no more work. */
  readonly draining: AbortSignal
}
