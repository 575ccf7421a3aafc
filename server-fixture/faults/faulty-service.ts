/** Faults as a decorator of the service, as `effects.ts` is one of the store. */
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { CallContext } from '../service/context.ts'
import type { VcsService } from '../service/vcs-service.ts'
import type { Faults } from './faults.ts'
import { faultyDownload, faultyUpload } from './faulty-transfers.ts'

const rpcs = new Map(Object.entries(methods).map(([name, method]) => [name, method.name]))

/** The RPC of an operation; of one with a key, its name without a key. */
function rpcOf(operation: Messages['Operation']): string {
  const [name = ''] = operation.apply ? writesOf(operation.apply) : Object.keys(operation)
  return rpcs.get(name) ?? methods.apply.name
}

/** The names of the writes in an Apply; there should be one. */
function writesOf(write: Partial<Messages['ApplyRequest']> | Messages['KeyedOperation']): string[] {
  return Object.keys(write).filter((name) => rpcs.has(name) || name === 'batch')
}

/** The RPC that an Apply is without its key, and the operations of a batch. */
function unkeyed(method: string, request: object): { call: string; operations: readonly Messages['Operation'][] } {
  if (method === methods.batchOperations.name) {
    return { call: method, operations: (request as Messages['BatchOperationsRequest']).operations }
  }
  if (method !== methods.apply.name) return { call: method, operations: [] }
  const { batch } = request as Messages['ApplyRequest']
  if (batch) return { call: methods.batchOperations.name, operations: batch.operations }
  const [name = ''] = writesOf(request)
  return { call: rpcs.get(name) ?? method, operations: [] }
}

/** The same service, with faults around its calls, its batches and the operations in them. */
export function withFaults(service: VcsService, faults: Faults): VcsService {
  /** The operations of a batch fail one by one, the call or frame itself as a whole. */
  const around = <Result>(
    called: { readonly call: string; readonly operations: readonly Messages['Operation'][] },
    context: CallContext,
    work: (context: CallContext) => Promise<Result>
  ): Promise<Result> => {
    const names = [...called.operations.map(rpcOf), called.call]
    return faults.around(names, context, (failing) => {
      const throwAt = (index: number) => {
        const error = failing.get(index)
        if (error) throw error
      }
      throwAt(called.operations.length)
      return work({
        ...context,
        // The context of a frame has a getter for it, which a spread leaves out.
        signal: context.signal,
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
    async upload(opening, context) {
      const open = () => service.upload(opening, context)
      const { opened, active } = await faults.aroundTransfer(methods.uploadBlob.name, context, open)
      return faultyUpload(opened, active)
    },
    async download(request, context) {
      const open = () => service.download(request, context)
      const { opened, active } = await faults.aroundTransfer(methods.downloadBlob.name, context, open)
      return faultyDownload(opened, active)
    },
    watch(request, sink, context) {
      const error = faults.refusalOf(methods.watchRefs.name)
      if (error) throw error
      return service.watch(request, sink, context)
    },
    call(method, request, context) {
      return around(unkeyed(method, request), context, (inner) => service.call(method, request, inner))
    },
    sessionBatch(batch, context) {
      const { operations } = batch
      const frame = { call: methods.session.name, operations }
      return around(frame, context, async (inner) => service.sessionBatch(batch, inner))
    }
  }
}
