/** In the place of `client/calls.ts`: calls that are not of blobs are loaded with the first of them. */
import type { CallOptions } from '../../call/call-options.ts'
import { RepositoryCalls as Replaced } from '../calls.ts'
import type { ComposedMethod } from '../composed-calls.ts'
import type { RepositoryInputs, RepositoryResults } from '../interceptor.ts'
import type { OperationInputs, OperationName } from '../operations.ts'
import type { WriteOptions } from '../request-key.ts'
import type { OperationValues } from '../results.ts'
import { loadOthers } from './other-operations.ts'
import { snapshot } from './snapshot.ts'

export { checkRepositoryName } from '../calls.ts'

const ofBlobs: ReadonlySet<OperationName> = new Set(['storeBlob', 'getBlob'])

export class RepositoryCalls extends Replaced {
  override run<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options?: CallOptions
  ): Promise<OperationValues[Name]> {
    const loading = ofBlobs.has(name) ? undefined : loadOthers()
    if (loading === undefined) return super.run(name, input, options)
    return after(loading, [input, options], ([taken, rest]) => super.run(name, taken, rest))
  }

  override send<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options?: CallOptions
  ): Promise<OperationValues[Name]> {
    const loading = ofBlobs.has(name) ? undefined : loadOthers()
    if (loading === undefined) return super.send(name, input, options)
    return loading.then(() => super.send(name, input, options))
  }

  override compose<Name extends ComposedMethod>(
    name: Name,
    input: RepositoryInputs[Name],
    options: WriteOptions
  ): Promise<RepositoryResults[Name]> {
    const loading = loadOthers()
    if (loading === undefined) return super.compose(name, input, options)
    return after(loading, [input, options], ([taken, rest]) => super.compose(name, taken, rest))
  }
}

/** The arguments are the caller's again meanwhile. */
async function after<Input, Options, Result>(
  loading: Promise<unknown>,
  given: readonly [Input, Options],
  call: (taken: readonly [Input, Options]) => Promise<Result>
): Promise<Result> {
  const taken = snapshot(given)
  await loading
  return await call(taken)
}
