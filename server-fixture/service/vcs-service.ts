/** The interface between the listeners and the service. Decorators implement it as well, such as `withFaults`. */
import type { Limits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { CallContext } from './context.ts'

/** A batch that came in a frame of a session. */
export type SessionBatch = Pick<Messages['SessionBatch'], 'repository' | 'operations'>

/** The methods of the service, independent of protocols and codecs. */
export interface VcsService {
  readonly limits: Limits
  capabilities(): Messages['GetCapabilitiesResponse']
  /**
   * Carries out one call of a unary method, by its name in the proto (`StoreBlob`). The request must have been checked
   * against the schema.
   * @throws BlobwireError and nothing else
   */
  call(method: string, request: object, context: CallContext): Promise<object>
  /**
   * Carries out one batch of a frame, at once where it can, and returns a result for each operation, in order.
   * @throws BlobwireError and nothing else, then or later, where the whole batch is refused
   */
  sessionBatch(
    batch: SessionBatch,
    context: CallContext
  ): Promise<Messages['OperationResult'][]> | Messages['OperationResult'][]
}
