/** Faults as a decorator of the service, as `effects.ts` is one of the store. */
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { CallContext } from '../service/context.ts'
import type { VcsService } from '../service/vcs-service.ts'
import type { Faults } from './faults.ts'

/** The RPC of an operation. */
function rpcOf(operation: Messages['Operation']): string {
  const [name = ''] = Object.keys(operation)
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** The same service, with faults around its calls, its batches and the operations in them. */
export function withFaults(service: VcsService, faults: Faults): VcsService {
  /** The operations of a batch fail one by one, the call or frame itself as a whole. */
  const around = <Result>(
    rpcs: { readonly call: string; readonly operations: readonly Messages['Operation'][] },
    context: CallContext,
    work: (context: CallContext) => Promise<Result>
  ): Promise<Result> => {
    const names = [...rpcs.operations.map(rpcOf), rpcs.call]
    return faults.around(names, context, (failing) => {
      const throwAt = (index: number) => {
        const error = failing.get(index)
        if (error) throw error
      }
      throwAt(rpcs.operations.length)
      return work({
        ...context,
        beforeOperation(index) {
          throwAt(index)
          context.beforeOperation?.(index)
        }
      })
    })
  }
  return {
    limits: service.limits,
    capabilities: () => service.capabilities(),
    call(method, request, context) {
      const isBatch = method === methods.batchOperations.name
      const operations = isBatch ? (request as Messages['BatchOperationsRequest']).operations : []
      return around({ call: method, operations }, context, (inner) => service.call(method, request, inner))
    },
    sessionBatch(batch, context) {
      const { operations } = batch
      const rpcs = { call: methods.session.name, operations }
      return around(rpcs, context, (inner) => service.sessionBatch(batch, inner))
    }
  }
}
