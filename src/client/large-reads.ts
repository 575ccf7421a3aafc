/** Blobs that are too large for the answers of `getBlob` and `getObject`: the client downloads them. */
import { allHeaders } from '../batch/own-headers.ts'
import type { CallOptions } from '../call/call-options.ts'
import type { UnstartedCall } from '../call/running-call.ts'
import type { Clock } from '../core/clock.ts'
import { asBlobwireError, BlobwireError } from '../core/error.ts'
import { binaryPath } from '../git/raw-path.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { BlobDownload, type DownloadRequest } from '../transfer/download.ts'
import type { TransferRunner } from '../transfer/transfer-runner.ts'
import type { RequestDefaults } from './blob-requests.ts'
import type { ClientCaches } from './client-caches.ts'
import type { Operation, OperationInputs } from './operations.ts'
import type { OperationResult } from './results.ts'
import { prepare } from './to-request.ts'

type Request = Init<Messages['GetBlobRequest']>

/** Calls whose blobs may turn out to be too large for an answer. */
export const mayBecomeDownload: ReadonlySet<string> = new Set(['getBlob', 'getObject', 'batch'])

/** Downloads of one batch at the same time. */
const maxParallel = 4

/** The client, as far as reads need it. */
interface ReadingClient {
  readonly options: { readonly verify: boolean; readonly timeoutMs: number }
  readonly endpoint: string
  readonly clock: Clock
  readonly caches: ClientCaches
  readonly pipeline: { readonly transfers: TransferRunner }
  capabilities(options: CallOptions): Promise<Messages['GetCapabilitiesResponse']>
}

/** One read that was refused for its size. */
interface LargeRead {
  readonly method: 'getBlob' | 'getObject'
  readonly request: Request
  readonly refusal: BlobwireError
  readonly transfer: DownloadRequest['transfer']
}

function isTooLarge(error: unknown): error is BlobwireError {
  return error instanceof BlobwireError && error.details.limit?.limit === 'max_inline_bytes'
}

/** A call that has failed. */
interface FailedCall {
  readonly error: unknown
  readonly call: UnstartedCall
  readonly remainingMs: number
  readonly stallTimeoutMs: number
}

/** The read that a call is; undefined = it is none. */
function readingOf({ method }: UnstartedCall): LargeRead['method'] | undefined {
  if (method === methods.getBlob) return 'getBlob'
  return method === methods.getObject ? 'getObject' : undefined
}

/**
 * The answer to a call that has failed, where a download has it. The call's own time bounds the download; the client's
 * `timeoutMs` does not, which is made for messages.
 */
export function recoverRead(
  client: ReadingClient,
  { error, call, remainingMs, stallTimeoutMs }: FailedCall
): Promise<object> | undefined {
  const method = readingOf(call)
  if (method === undefined || !isTooLarge(error)) return undefined
  const { headers, ownHeaders, token, transport, signal, hasOwnTimeout } = call
  const transfer = {
    headers: allHeaders(headers, ownHeaders),
    token,
    transport,
    signal,
    timeoutMs: hasOwnTimeout ? Math.max(1, Math.ceil(remainingMs)) : undefined,
    stallTimeoutMs
  }
  return readLarge(client, { method, request: call.request as Request, refusal: error, transfer })
}

interface BatchOfReads {
  readonly invoker: ReadingClient & { transferOf(options: CallOptions): DownloadRequest['transfer'] }
  readonly repository: string
  readonly defaults: RequestDefaults
}

/** The results of a batch, with the blobs that were too large for it. */
export async function readLargeResults(
  { invoker, repository, defaults }: BatchOfReads,
  { operations, results }: { operations: readonly Operation[]; results: readonly OperationResult[] },
  options: CallOptions
): Promise<OperationResult[]> {
  const all = [...results]
  const large = all.flatMap(({ error }, index) => {
    const operation = operations[index] as Partial<OperationInputs> | undefined
    const method = operation?.getBlob ? 'getBlob' : operation?.getObject ? 'getObject' : undefined
    return method !== undefined && isTooLarge(error) ? [{ index, method, refusal: error } as const] : []
  })
  const work = large.values()
  const readNext = async () => {
    for (const { index, method, refusal } of work) {
      const { [method]: input } = operations[index] as unknown as OperationInputs
      const request = { ...(prepare(method, input, defaults) as Request), repository }
      const read = readLarge(invoker, { method, request, refusal, transfer: invoker.transferOf(options) })
      all[index] = await read.then(
        (value) => ({ ok: true, value }) as OperationResult,
        (error) => ({ ok: false, error: asBlobwireError(error) })
      )
    }
  }
  await Promise.all(Array.from({ length: Math.min(maxParallel, large.length) }, readNext))
  return all
}

/** @throws BlobwireError */
async function readLarge(client: ReadingClient, { method, request, refusal, transfer }: LargeRead): Promise<object> {
  const { timeoutMs: _, stallTimeoutMs: __, ...options } = transfer
  const { resume } = await client.capabilities(options)
  if (!resume) {
    throw refusal.with({ method, message: `${refusal.message}, and this server is older than downloads` })
  }
  const { repository = '', oid = '', revision = '' } = request
  // The refusal tells the oid, because a branch may move before the second request.
  const found = refusal.details.limit?.oid ?? oid
  const address = found === '' ? { revision, path: binaryPath(request) } : { revision: '', path: '' }
  const download = new BlobDownload(
    {
      address: { ...address, repository, oid: found },
      range: { start: 0, end: undefined },
      parallel: 1,
      verify: client.options.verify,
      transfer,
      called: { method, endpoint: client.endpoint }
    },
    { runner: client.pipeline.transfers, clock: client.clock }
  )
  const content = await download.bytes()
  const info = await download.info()
  client.caches.known.add(repository, info.oid)
  const blob = { oid: info.oid, size: info.size, content }
  return method === 'getObject' ? { ...blob, kind: 'blob' } : blob
}
