/**
 * The calls that are not of blobs: their inputs, requests and checks of answers. Runtimes that load programs over a network
 * load them with the first such call (`web/other-operations.ts`).
 */
import type { Prepare } from './blob-requests.ts'
import type { Method } from './interceptor.ts'
import type { OperationName } from './operations.ts'
import { otherRequests } from './other-requests.ts'
import { otherShapes } from './other-shapes.ts'
import type { Take } from './take.ts'
import type { Verifier } from './verify/blob-answers.ts'
import { otherCheckers, otherVerifiers } from './verify/other-answers.ts'

/** How the input of a call is taken. */
export function shapeOf(name: Method): Take {
  return otherShapes[name as keyof typeof otherShapes]
}

/** Makes the request message of an operation. */
export function requestOf<Name extends OperationName>(name: Name): Prepare<Name> {
  return otherRequests[name as keyof typeof otherRequests] as unknown as Prepare<Name>
}

/** Undefined = no checks. */
export function otherVerifier(name: OperationName, verify: boolean): Verifier | undefined {
  return (verify ? otherVerifiers : otherCheckers)[name] as Verifier | undefined
}
