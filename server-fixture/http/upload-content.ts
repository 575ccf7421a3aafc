/** The body of a request as the next bytes of an upload. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Messages } from '../../src/schema/messages.ts'
import type { CallContext } from '../service/context.ts'
import type { VcsService } from '../service/vcs-service.ts'
import { consume } from '../transfers/consume.ts'
import { clientGone, type Transfer } from '../transfers/transfer.ts'
import type { Exchange } from './exchange.ts'
import { digestsOf } from './upload-headers.ts'

/** An upload, and the request that brings bytes of it. */
export interface ContentRequest {
  readonly service: VcsService
  readonly context: CallContext
  readonly opening: {
    readonly repository: string
    readonly uploadId: string
    readonly size: number | undefined
    readonly offset: number
    /** The content ends with the body. */
    readonly complete: boolean
  }
  readonly transfer: Transfer
  /** Called once the upload is there, before its bytes are asked for. */
  readonly onOpen: () => void
  /** Of the request, once its body has ended. */
  readonly trailers: () => IncomingHttpHeaders
}

/** Reads the body into the upload, of which the client is told then. @throws BlobwireError; what came is kept */
export async function receiveContent(
  exchange: Exchange,
  { service, context, opening, transfer, onOpen, trailers }: ContentRequest
): Promise<Messages['UploadBlobResponse']> {
  const { complete, ...beginning } = opening
  const told = digestsOf(exchange.headers)
  // To open an upload may wait for another stream to finish it, or read again what is held.
  transfer.hold()
  const upload = await service.upload({ ...beginning, oid: told.oid }, context)
  transfer.free()
  try {
    onOpen()
    const body = exchange.openBody()
    transfer.watch(body)
    await consume<Uint8Array>(body, { take: (chunk) => upload.write(chunk), transfer })
    transfer.hold()
    if (!complete) return await upload.release()
    const late = digestsOf(trailers())
    const isSure = opening.size !== undefined || late.oid !== undefined || late.sha256 !== undefined
    if (!isSure && !(await exchange.isWhole())) throw clientGone()
    return await upload.finish({ oid: late.oid ?? told.oid, sha256: late.sha256 ?? told.sha256 })
  } catch (error) {
    await upload.release()
    throw error
  }
}
