/** Apply: writes under keys, alone and as operations of batches and frames. */
import { invalidArgument } from '../../src/core/error.ts'
import { isOid, type ObjectFormat } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { Store } from '../store/store.ts'
import type { OperationCaller } from './batch.ts'
import { commitFiles } from './commit-files.ts'
import { type CallContext, requestIdOfOperation, throwIfAbandoned } from './context.ts'
import { updateRefs } from './refs.ts'
import { digestOf, type Write } from './request-digest.ts'
import type { WriteKey } from './request-keys.ts'
import type { Workspace } from './workspace.ts'

type KeyCaller = Pick<WriteKey, 'requestId' | 'throwIfAbandoned'>

/** The caller of a write that is a request of its own. */
export function keyCaller(context: CallContext): KeyCaller {
  return { requestId: context.requestId, throwIfAbandoned: () => throwIfAbandoned(context) }
}

/** The caller of a write that is an operation of a batch or frame, and waits so many milliseconds; 0 = no limit. */
export function operationCaller(
  { context, index, throwIfCancelled }: { readonly context: CallContext } & OperationCaller,
  timeoutMs: number
): KeyCaller {
  const endsAtMs = timeoutMs > 0 ? (context.receivedAtMs ?? performance.now()) + timeoutMs : undefined
  const deadlineMs = Math.min(endsAtMs ?? Infinity, context.deadlineMs ?? Infinity)
  return {
    requestId: requestIdOfOperation(context, index),
    throwIfAbandoned() {
      throwIfCancelled()
      throwIfAbandoned({ signal: context.signal, deadlineMs })
    }
  }
}

/** The writes that Apply carries out, and those of them that may be operations of a batch. */
const writes = [
  'commitFiles',
  'updateRefs',
  'createRepository',
  'updateRepository',
  'deleteRepository',
  'batch'
] as const
const operations = ['commitFiles', 'updateRefs'] as const

/** The one write of the request. @throws BlobwireError `invalid_argument` */
function nameOf<Name extends keyof Write>(write: Write, names: readonly Name[]): Name {
  const name = names.find((each) => write[each] !== undefined)
  if (name === undefined) throw invalidArgument('apply', `must have one of ${names.join(', ')}`)
  return name
}

/** The name of the write of an Apply. @throws BlobwireError `invalid_argument` for none, or one of another repository */
export function writeOf(request: Messages['ApplyRequest']): keyof Write {
  const name = nameOf(request, writes)
  const { repository = '' } = request[name] ?? {}
  if (repository !== '' && repository !== request.repository) {
    throw invalidArgument(`${name}.repository`, 'must be empty or the repository of the Apply')
  }
  if (request.batch && !request.batch.atomic) {
    throw invalidArgument('batch.atomic', 'must be true: other batches have a key for each operation')
  }
  return name
}

/** The key of a write with its digest. */
export async function keyOf(
  store: Store,
  { repository, requestKey, ...write }: Write & { repository: string; requestKey: string },
  caller: KeyCaller
): Promise<WriteKey> {
  // Only contents need the format, because they are named by oid in the digest.
  const mayHoldContents = write.commitFiles !== undefined || write.batch !== undefined
  const named =
    namedFormat(write) ?? (mayHoldContents ? (await store.getRepository(repository))?.objectFormat : undefined)
  const format = named ?? 'sha1'
  return { key: requestKey, digest: digestOf(write, format), ...caller }
}

/** The format of the oids that a write names: the repository may be gone by now, and the first answer is still its own. */
function namedFormat({ commitFiles: commit, updateRefs: moves, batch }: Write): ObjectFormat | undefined {
  const nested = batch?.operations.map(namedFormat).find((format) => format !== undefined)
  const oid = commit?.expectedHead || moves?.updates[0]?.newOid || ''
  if (isOid(oid, 'sha1')) return 'sha1'
  return isOid(oid, 'sha256') ? 'sha256' : nested
}

/** The name of the write of a keyed operation. @throws BlobwireError `invalid_argument` */
export function operationOf(request: Messages['KeyedOperation']): 'commitFiles' | 'updateRefs' {
  const name = nameOf(request, operations)
  if (request[name]?.repository) {
    throw invalidArgument(
      `apply.${name}.repository`,
      "must be empty in a batch: all operations are of the batch's repository"
    )
  }
  return name
}

/** Carries out a write in the workspace of its call or batch. */
export async function applyIn(
  workspace: Workspace,
  write: Pick<Write, 'commitFiles' | 'updateRefs'>,
  key: WriteKey
): Promise<Messages['KeyedResult']> {
  if (write.commitFiles) return { commitFiles: await commitFiles(workspace, write.commitFiles, key) }
  const request = write.updateRefs as Messages['UpdateRefsRequest']
  return { updateRefs: await updateRefs(workspace, request, key) }
}
