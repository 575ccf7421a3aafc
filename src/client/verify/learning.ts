/** Verifiers that also keep the oids which the answers of a client tell. */
import { methods } from '../../schema/methods.ts'
import type { OperationName } from '../inputs.ts'
import { type KnownOids, tellsOids } from '../known-oids.ts'
import { type Verifier, verifierOf } from './answers.ts'

/** A verifier for each operation that has one; requests name their repository. */
export function learningVerifiers(verify: boolean, known: KnownOids): { [Name in OperationName]?: Verifier } {
  const verifiers: { [Name in OperationName]?: Verifier } = {}
  for (const name of Object.keys(methods) as OperationName[]) {
    const check = verifierOf(name, verify)
    if (check) verifiers[name] = check
    if (!tellsOids.has(name)) continue
    verifiers[name] = (request, response) => {
      check?.(request, response)
      known.learn(name, (request as { repository: string }).repository, { request, response })
    }
  }
  return verifiers
}
