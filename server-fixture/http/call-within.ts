/** Carries out a unary call for a caller who may go, within the caller's time. */
import type { Method } from '../../src/schema/descriptor.ts'
import type { Principal } from '../service/context.ts'
import type { VcsService } from '../service/vcs-service.ts'
import { within } from '../service/within.ts'
import type { Exchange } from './exchange.ts'

/** The call. */
export interface DueCall {
  readonly service: VcsService
  readonly method: Method
  readonly principal: Principal
  readonly requestId: string
  /** By `performance.now()`. */
  readonly deadlineMs: number
}

/** The response. @throws BlobwireError that of the service; `deadline_exceeded` */
export function callWithin(
  exchange: Exchange,
  request: Parameters<VcsService['call']>[1],
  { service, method, principal, requestId, deadlineMs }: DueCall
): Promise<object> {
  exchange.record.called(method.name, request)
  const gone = new AbortController()
  exchange.onAbandoned(() => gone.abort())
  const call = service.call(method.name, request, { principal, signal: gone.signal, requestId, deadlineMs })
  return within(Math.max(0, deadlineMs - performance.now()), call, gone)
}
