/**
 * Verifies answers: contents must hash to their oids, and the encodings of trees and commits to theirs. A mismatch is
 * `data_loss`, reason `integrity`; a missing or invalid field is `internal`, reason `malformed_response`.
 */
import { methods } from '../../schema/methods.ts'
import { type KnownOids, tellsOids, tellsOneOid } from '../known-oids.ts'
import type { OperationName } from '../operations.ts'
import { otherVerifier } from '../other-operations.ts'
import { blobVerifiers, type Verifier } from './blob-answers.ts'

/** The verifier of an operation's answers, with or without the option `verify`; undefined = no checks. */
export function verifierOf(name: OperationName, verify: boolean): Verifier | undefined {
  const check = name in blobVerifiers ? (verify ? blobVerifiers[name] : undefined) : otherVerifier(name, verify)
  return check as Verifier | undefined
}

/** A verifier for each operation that has one, which also keeps the oids that the answer tells. */
export function learningVerifiers(verify: boolean, known: KnownOids): { [Name in OperationName]?: Verifier } {
  const verifiers: { [Name in OperationName]?: Verifier } = {}
  for (const name of Object.keys(methods) as OperationName[]) {
    const check = verifierOf(name, verify)
    if (check) verifiers[name] = check
    if (!tellsOids.has(name)) continue
    const isOne = tellsOneOid.has(name)
    verifiers[name] = (request, response) => {
      check?.(request, response)
      const { repository } = request as { repository: string }
      if (isOne) known.add(repository, (response as { oid: string }).oid)
      else known.learn(name, repository, { request, response })
    }
  }
  return verifiers
}
