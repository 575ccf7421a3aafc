/** A call as the client's methods make it. */
import type { OwnHeaders } from '../batch/own-headers.ts'
import type { CallPolicy } from '../call/call-policy.ts'
import type { UnstartedCall } from '../call/running-call.ts'
import type { TransportName } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'

/**
 * A class, not a literal: where objects of one literal happen to survive a few collections, V8 makes all later ones in the
 * old generation ("allocation site pretenuring"), and each then keeps alive whatever it refers to until a full collection.
 * Objects of classes always begin in the young generation.
 */
export class OwnCall implements UnstartedCall {
  readonly method: Method
  readonly request: object
  readonly headers: Readonly<Record<string, string>>
  requestKey: string | undefined
  token: string | undefined
  ownHeaders: OwnHeaders | undefined
  timeoutMs = 0
  hasOwnTimeout = false
  isBackground = false
  policy: CallPolicy | undefined
  signal: AbortSignal | undefined
  transport: TransportName | undefined
  verify: UnstartedCall['verify']

  constructor(method: Method, request: object, headers: Readonly<Record<string, string>>) {
    this.method = method
    this.request = request
    this.headers = headers
  }
}
