/** Uploads as messages: the RPC UploadBlob, over Connect and gRPC. */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { CallContext } from '../service/context.ts'
import type { IncomingUpload, VcsService } from '../service/vcs-service.ts'

type Request = Messages['UploadBlobRequest']
type Response = Messages['UploadBlobResponse']

/** One stream of UploadBlob. Its methods are called one after the other, and throw `BlobwireError`s. */
export class UploadMessages {
  readonly #service: VcsService
  readonly #context: CallContext
  #upload: IncomingUpload | undefined
  #oid = ''
  #response: Response | undefined

  constructor(service: VcsService, context: CallContext) {
    this.#service = service
    this.#context = context
  }

  /** The blob is complete: the client needs to send nothing more. */
  get response(): Response | undefined {
    return this.#response
  }

  /** Takes the next message, whose chunk nobody may change any more; undefined = it is taken. */
  take(message: Request): Promise<void> | undefined {
    if (this.#response) throw invalidArgument('complete', 'must be on the last message of the stream')
    const upload = this.#upload
    if (upload === undefined) return this.#begin(message)
    if (message.offset !== upload.offset) {
      const text = `the upload goes on at offset ${upload.offset}; the message has ${message.offset}`
      throw new BlobwireError({ reason: 'upload_offset', message: text })
    }
    const written = message.chunk.length === 0 ? undefined : upload.write(message.chunk)
    if (!message.complete) return written
    return written === undefined ? this.#finish(upload, message) : written.then(() => this.#finish(upload, message))
  }

  /** The answer at the end of the stream; an upload that is not complete is kept. */
  async end(): Promise<Response> {
    if (this.#response) return this.#response
    if (this.#upload === undefined) throw invalidArgument('upload_id', 'must be given by a first message')
    return await this.#upload.release()
  }

  /** Lets go of the upload; what came is kept. */
  async release(): Promise<void> {
    await this.#upload?.release()
  }

  async #begin(message: Request): Promise<void> {
    const { repository, uploadId, size, offset, oid } = message
    this.#oid = oid
    const opening = { repository, uploadId, size, offset, oid: oid || undefined }
    this.#upload = await this.#service.upload(opening, this.#context)
    await this.take(message)
  }

  async #finish(upload: IncomingUpload, { oid, sha256 }: Request): Promise<void> {
    const digests = { oid: oid || this.#oid || undefined, sha256: sha256.length > 0 ? sha256 : undefined }
    this.#response = await upload.finish(digests)
  }
}
