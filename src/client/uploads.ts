/** Uploads: `upload`, and contents of other calls that are too large for a message. */

import type { CallOptions } from '../call/call-options.ts'
import { show } from '../core/check-options.ts'
import { asBlobwireError, BlobwireError, invalidArgument } from '../core/error.ts'
import { isOid, newObjectHash, type ObjectFormat, oidProblem } from '../git/oid.ts'
import { encodeHex, toNative } from '../platform/bytes.ts'
import { methods } from '../schema/methods.ts'
import type { TransferOptions, UploadOptions } from '../transfer/options.ts'
import { readAll, readBeginning } from '../transfer/pieces.ts'
import { callbackFailed, type FileProgress, ProgressMeter } from '../transfer/progress.ts'
import { formatResumeToken, parseResumeToken } from '../transfer/resume-token.ts'
import { endStream, openSource, type Source } from '../transfer/source.ts'
import type { UploadSource } from '../transfer/source-kinds.ts'
import type { Attempts } from '../transfer/transfer-runner.ts'
import { tooLarge, Upload, type UploadPlan, type UploadResult } from '../transfer/upload.ts'
import type { RepositoryContext } from './repository-context.ts'
import { newRequestKey } from './request-key.ts'

/** Links of more bytes a second are about as fast as a hash: to look for a content there first does not pay. */
const fastLinkBytesPerSecond = 256 * 1024 * 1024
/** Uploads of fewer bytes say nothing about the link. */
const measuredBytes = 16 * 1024 * 1024
/** Bytes of a plain stream that are kept, so that a cut upload can go on from there. */
const keptBytes = 16 * 1024 * 1024
/** Time for telling the server that an upload is given up, in milliseconds. */
const cancelMs = 5000

/** `upload`. @throws BlobwireError; see `Repository.upload` */
export async function upload(
  context: RepositoryContext,
  { source }: { readonly source: UploadSource },
  options: UploadOptions
): Promise<UploadResult> {
  checkUploadOptions(context.repository, options)
  const meter = new ProgressMeter(context.invoker.clock, options.onProgress, 'upload')
  const result = await uploadFile(context, source, { options, meter, twins: undefined })
  meter.end()
  return result
}

/** @throws BlobwireError `invalid_argument` */
function checkUploadOptions(repository: string, options: UploadOptions): void {
  const { size, oid, resume, onResumeToken } = options
  checkListener(options)
  checkFunction('onResumeToken', onResumeToken)
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) {
    throw invalidArgument('size', `must be a number of bytes, 0 or more, not ${show(size)}`)
  }
  if (oid !== undefined && !isOid(oid)) throw invalidArgument('oid', oidProblem(oid))
  if (resume !== undefined) parseResumeToken(resume, repository)
}

/** @throws BlobwireError `invalid_argument` */
export function checkListener({ onProgress }: TransferOptions): void {
  checkFunction('onProgress', onProgress)
}

function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw invalidArgument(name, `must be a function, not ${show(value)}`)
  }
}

/** The other uploads of the same call. */
export interface Twins {
  /** By oid: the same content is sent once. */
  readonly underWay: Map<string, Promise<UploadResult>>
  /** Others have the same size. */
  readonly areLikely: boolean
}

/** One upload, and the call that it is of. */
interface UploadOfCall {
  readonly options: UploadOptions
  /** Of the call. */
  readonly meter: ProgressMeter
  /** Undefined = it is the only one, of which the meter does not know yet. */
  readonly twins: Twins | undefined
}

/** One upload of a call that may have several. @throws BlobwireError */
export async function uploadFile(
  context: RepositoryContext,
  given: UploadSource,
  ofCall: UploadOfCall
): Promise<UploadResult> {
  const { options } = ofCall
  const task = new UploadTask(context, given, ofCall)
  try {
    const transfer = {
      direction: 'up',
      repository: context.repository,
      ...context.invoker.transferOf(options)
    } as const
    return await context.invoker.pipeline.transfers.work(transfer, (attempts) => task.run(attempts))
  } catch (error) {
    task.abandon(asBlobwireError(error))
    throw error
  } finally {
    task.close()
  }
}

type SentContent = Pick<UploadPlan, 'source' | 'size' | 'oid' | 'isHashed'>

class UploadTask {
  readonly #context: RepositoryContext
  readonly #given: UploadSource
  readonly #options: UploadOptions
  readonly #meter: ProgressMeter
  readonly #twins: Twins | undefined
  readonly #progress: FileProgress
  readonly #remaining: () => CallOptions
  #source: Promise<Source> | undefined
  #sending: Upload | undefined
  #uploadId = ''

  constructor(context: RepositoryContext, given: UploadSource, { options, meter, twins }: UploadOfCall) {
    this.#context = context
    this.#given = given
    this.#options = options
    this.#meter = meter
    this.#twins = twins
    this.#progress = meter.file()
    this.#remaining = context.invoker.unhurried(options)
  }

  async run(attempts: Attempts): Promise<UploadResult> {
    const { invoker } = this.#context
    this.#source = openSource(this.#given)
    const [source, { resume }] = await Promise.all([this.#source, invoker.capabilities(this.#remaining())])
    const size = sizeOf(source, this.#options.size)
    if (this.#twins === undefined) this.#meter.expect([size])
    const { maxInlineBytes, maxBlobBytes } = invoker.caches.limits
    if (size !== undefined && size > maxBlobBytes) throw tooLarge(size, maxBlobBytes)
    const beginning = await readBeginning(source, size, maxInlineBytes)
    if (beginning instanceof Uint8Array) return this.#storeInline(beginning)
    if (!resume) throw noUploads()
    await this.#context.fetchFormat(this.#remaining())
    return this.#send(attempts, beginning, size)
  }

  /** Ends the source. */
  close(): void {
    this.#sending?.close()
    if (this.#source === undefined) endStream(this.#given)
    else this.#source.then((source) => source.close()).catch(() => undefined)
  }

  /** The upload has failed: unless another process may go on with it, the server need not keep it. */
  abandon(error: BlobwireError): void {
    const { invoker, repository } = this.#context
    const isKept = this.#options.onResumeToken !== undefined || error.is('upload_taken_over')
    if (isKept || error.is('client_closed') || !this.#sending?.hasBegun) return
    const { signal: _, ...options } = this.#options
    const request = { repository, uploadId: this.#uploadId }
    invoker.invoke(methods.cancelUpload, request, { ...options, timeoutMs: cancelMs }).catch(() => undefined)
  }

  async #storeInline(content: Uint8Array): Promise<UploadResult> {
    const { invoker, repository } = this.#context
    const { oid, size } = await invoker.operation('storeBlob', { repository, content }, this.#remaining())
    checkOid(this.#options.oid, oid)
    return this.#done({ oid, size })
  }

  async #send(attempts: Attempts, source: Source, size: number | undefined): Promise<UploadResult> {
    const { objectFormat } = this.#context.defaults
    const { oid: told } = this.#options
    if (told !== undefined && !isOid(told, objectFormat)) throw invalidArgument('oid', oidProblem(told, objectFormat))
    const hashed = told === undefined ? await this.#hash(source, size, objectFormat) : undefined
    const oid = told ?? hashed ?? ''
    const twin = oid === '' ? undefined : this.#twins?.underWay.get(oid)
    if (twin !== undefined) return this.#done(await twin)
    const sent = this.#unlessStored({ source, size, oid, isHashed: hashed !== undefined }, attempts)
    // From now on others wait for this one.
    if (oid !== '') this.#twins?.underWay.set(oid, sent)
    return this.#done(await sent)
  }

  async #unlessStored(content: SentContent, attempts: Attempts): Promise<UploadResult> {
    const { source, size, oid } = content
    if (oid !== '' && (await this.#isStored(oid))) return { oid, size: size ?? (await readAll(source)) }
    return this.#upload(content, attempts)
  }

  #done(result: UploadResult): UploadResult {
    this.#context.invoker.caches.known.add(this.#context.repository, result.oid)
    this.#progress.done(result.size)
    return result
  }

  async #upload(content: SentContent, attempts: Attempts): Promise<UploadResult> {
    const { invoker, repository, defaults } = this.#context
    const { clock, caches } = invoker
    const { source, size } = content
    const isResumed = this.#resume(source, size)
    this.#tellToken(source, size)
    this.#progress.enter('upload')
    let sentFrom: number | undefined
    this.#sending = new Upload({
      ...content,
      clock,
      repository,
      uploadId: this.#uploadId,
      isResumed,
      format: defaults.objectFormat,
      chunkBytes: caches.limits.chunkBytes,
      maxBlobBytes: caches.limits.maxBlobBytes,
      keptBytes,
      onOffset: (offset) => {
        sentFrom ??= offset
        this.#progress.reached(offset, false)
      },
      onPosition: (position) => this.#progress.reached(position)
    })
    const beganAtMs = clock.now()
    const result = await this.#sending.run(attempts)
    const sentBytes = result.size - (sentFrom ?? 0)
    if (sentBytes > measuredBytes) caches.uploadBytesPerSecond = (sentBytes / (clock.now() - beganAtMs)) * 1000
    return result
  }

  /** The oid, where it pays to look whether the server has the content. */
  async #hash(source: Source, size: number | undefined, format: ObjectFormat): Promise<string | undefined> {
    const isFast = this.#context.invoker.caches.uploadBytesPerSecond > fastLinkBytesPerSecond
    if (size === undefined || source.reads !== 'anywhere') return undefined
    if (isFast && !this.#twins?.areLikely) return undefined
    this.#progress.enter('hash')
    const hash = newObjectHash('blob', size, format)
    await readAll(source, hash)
    return encodeHex(toNative(hash.digest()))
  }

  async #isStored(oid: string): Promise<boolean> {
    const { invoker, repository } = this.#context
    const { missing } = await invoker.operation('findMissing', { repository, oids: [oid] }, this.#remaining())
    return missing.length === 0
  }

  /** Takes over the upload of a token; false = it begins anew, also where the token is of other content. */
  #resume(source: Source, size: number | undefined): boolean {
    const { resume } = this.#options
    this.#uploadId = newRequestKey()
    if (resume === undefined) return false
    const token = parseResumeToken(resume, this.#context.repository)
    if (token.size !== size || token.identity !== source.identity) return false
    this.#uploadId = token.uploadId
    return true
  }

  #tellToken({ identity }: Source, size: number | undefined): void {
    const { repository } = this.#context
    const uploadId = this.#uploadId
    try {
      this.#options.onResumeToken?.(formatResumeToken({ uploadId, repository, size, identity }))
    } catch (cause) {
      throw callbackFailed('onResumeToken', cause)
    }
  }
}

/** The size of the content, as source and caller know it. */
function sizeOf(source: Source, given: number | undefined): number | undefined {
  if (given === undefined || source.size === undefined || source.size === given) return given ?? source.size
  throw invalidArgument('size', `must be the size of the source, ${source.size}, not ${given}`)
}

function checkOid(expected: string | undefined, found: string): void {
  if (expected !== undefined && found !== expected) {
    throw invalidArgument('oid', `the content has the oid ${found}, not ${expected}`)
  }
}

function noUploads(): BlobwireError {
  const message =
    'the server is older than uploads, and the content is too large for a message of it (limits.maxInlineBytes)'
  return new BlobwireError({ reason: 'no_such_method', message, sent: 'processed', attempts: 1 })
}
