/**
 * One commit from any number of changes, in few requests. Contents that are likely to be new go with the commit, in one
 * request; a large commit asks first which contents the server lacks; what fits no request goes ahead in batches, and
 * the commit names it by oid.
 */

import { envelopeBytes, estimateBytes, splitBySize } from '../batch/split.ts'
import { estimateCompressedBytes } from '../compression/sample.ts'
import { BlobwireError } from '../core/error.ts'
import { mayFitWhenSplit } from '../core/reasons.ts'
import { hashObject, type ObjectFormat } from '../git/oid.ts'
import { binaryPath, showPath } from '../git/raw-path.ts'
import { afterInput } from '../platform/schedule.ts'
import type { Messages } from '../schema/messages.ts'
import { runBatch } from './batch.ts'
import { contentOf, type FileChange, withOid } from './changes.ts'
import { type Commit, commitLongList, sendCommit } from './commit-requests.ts'
import { contentTooLarge } from './large-content.ts'
import type { RepositoryContext } from './repository-context.ts'

type Response = Messages['CommitFilesResponse']

/**
 * Contents that go with a commit unasked, in bytes after compression. To ask first costs a round trip; to send what the
 * server has costs the time that the bytes take. Where contents were new before, all that fits a request goes unasked.
 */
const maxUnaskedBytes = 1024 * 1024
/** Contents below this size are not looked at for that. */
const surelySmallBytes = 64 * 1024

/** One commit on its way, or the tree of one (`prepare`). */
export class Committing {
  readonly #context: RepositoryContext
  readonly #commit: Omit<Commit, 'round'>
  readonly #oids = new Map<Uint8Array, string>()
  #round = 0

  constructor(context: RepositoryContext, commit: Omit<Commit, 'round'>) {
    this.#context = context
    this.#commit = commit
  }

  async run(): Promise<Response> {
    try {
      return await this.#run()
    } catch (error) {
      if (!this.#lacksContents(error)) throw error
      // An oid that was known is known no longer. The refusal is the answer to this request; the next is another one.
      this.#caches.known.forget(this.#context.repository)
      this.#round++
      return this.#run()
    }
  }

  async #run(): Promise<Response> {
    const named = this.#nameKnown()
    if (this.#isSentUnasked(named)) {
      try {
        return await this.#send(named)
      } catch (error) {
        if (!canBeSplit(error)) throw error
      }
    }
    return this.#sendLarge()
  }

  /** Whether the server lacks contents that are here to send, because they were thought to be there. */
  #lacksContents(error: unknown): boolean {
    if (!(error instanceof BlobwireError && error.is('missing_object'))) return false
    const { missingOids } = error.details
    if (missingOids.length === 0) return false
    this.#hashAll(missingOids[0]?.length === 64 ? 'sha256' : 'sha1')
    const ours = new Set(this.#oids.values())
    return missingOids.some((oid) => ours.has(oid))
  }

  get #caches() {
    return this.#context.invoker.caches
  }

  /** Undefined = no answer has told it yet. */
  get #format(): ObjectFormat | undefined {
    return this.#caches.formats.get(this.#context.repository)
  }

  /** Names the contents that the server is known to have. */
  #nameKnown(): readonly FileChange[] {
    const { repository } = this.#context
    const { known } = this.#caches
    const format = this.#format
    if (format === undefined || !known.hasAny(repository)) return this.#commit.changes
    return this.#name((oid) => known.has(repository, oid), format)
  }

  /** Names the contents that are as told by oid; the others stay. */
  #name(isStored: (oid: string) => boolean, format: ObjectFormat): FileChange[] {
    return this.#commit.changes.map((change) => {
      const content = contentOf(change)
      if (content === undefined) return change
      const oid = this.#oidOf(content, format)
      return isStored(oid) ? withOid(change, oid) : change
    })
  }

  #oidOf(content: Uint8Array, format: ObjectFormat): string {
    let oid = this.#oids.get(content)
    if (oid === undefined) {
      oid = hashObject('blob', content, format)
      this.#oids.set(content, oid)
    }
    return oid
  }

  /** Whether the commit fits one request, and its contents cost less to send than it costs to ask for them. */
  #isSentUnasked(changes: readonly FileChange[]): boolean {
    const { maxInlineBytes } = this.#caches.limits
    let bytes = 0
    for (const change of changes) {
      const length = contentOf(change)?.length ?? 0
      if (length > maxInlineBytes) return false
      bytes += length
    }
    if (!this.#fitsOneRequest(changes)) return false
    if (bytes <= surelySmallBytes || this.#caches.takesNew.get(this.#context.repository)) return true
    let compressed = 0
    for (const change of changes) {
      const content = contentOf(change)
      if (content) compressed += estimateCompressedBytes(content)
      if (compressed > maxUnaskedBytes) return false
    }
    return true
  }

  #fitsOneRequest(changes: readonly FileChange[]): boolean {
    const base64 = this.#commit.remaining().transport ?? this.#context.invoker.transport
    const bytes = estimateBytes({ ...this.#commit.fields, changes }, base64 === 'json')
    return bytes + envelopeBytes <= this.#caches.limits.maxBatchBytes
  }

  /** Asks which contents the server lacks; these go with the commit, or ahead of it where they do not fit. */
  async #sendLarge(): Promise<Response> {
    const { invoker, repository } = this.#context
    const { remaining, changes } = this.#commit
    const [{ maxInlineBytes }] = await Promise.all([
      invoker.limits(remaining()),
      this.#context.fetchFormat(remaining())
    ])
    const format = this.#context.defaults.objectFormat
    const contents = new Map<string, Uint8Array>()
    for (const change of changes) {
      const content = contentOf(change)
      if (content === undefined) continue
      if (content.length > maxInlineBytes) {
        throw contentTooLarge(content.length, maxInlineBytes, `${showPath(binaryPath(change))}: `)
      }
      const oid = this.#oidOf(content, format)
      if (!invoker.caches.known.has(repository, oid)) contents.set(oid, content)
    }
    const missing = await this.#findMissing([...contents.keys()])
    const lean = this.#name((oid) => !missing.has(oid), format)
    if (missing.size > 0 && this.#fitsOneRequest(lean)) {
      try {
        return await this.#send(lean)
      } catch (error) {
        if (!canBeSplit(error)) throw error
      }
    }
    const stores = [...missing].map((oid) => ({ storeBlob: { content: contents.get(oid) as Uint8Array } }))
    for (const { error } of await runBatch(this.#context, stores, remaining())) if (error) throw error
    return this.#send(this.#name(() => true, format))
  }

  async #findMissing(oids: readonly string[]): Promise<Set<string>> {
    const bounds = { ...this.#caches.limits, maxBatchOperations: Infinity }
    const lookups = splitBySize(oids, () => 80, bounds).map((run) => ({ findMissing: { oids: run } }))
    const missing = new Set<string>()
    for (const answer of await runBatch(this.#context, lookups, this.#commit.remaining())) {
      if (!answer.ok) throw answer.error
      for (const oid of answer.value.missing) missing.add(oid)
    }
    if (oids.length > 0) this.#caches.takesNew.set(this.#context.repository, missing.size === oids.length)
    return missing
  }

  async #send(changes: readonly FileChange[]): Promise<Response> {
    const format = this.#format
    const commit = { ...this.#commit, changes, round: this.#round }
    const isLong = !this.#fitsOneRequest(changes)
    const answer = isLong ? commitLongList(this.#context, commit) : sendCommit(this.#context, commit)
    // While the server works, the client hashes what it sent.
    if (format) afterInput(() => this.#hashAll(format))
    const response = await answer
    this.#learn(response)
    return response
  }

  /** For what is remembered; contents that cannot be hashed any more, such as a detached buffer's, are not. */
  #hashAll(format: ObjectFormat): void {
    try {
      for (const change of this.#commit.changes) {
        const content = contentOf(change)
        if (content) this.#oidOf(content, format)
      }
    } catch {
      this.#oids.clear()
    }
  }

  #learn({ tree }: Response): void {
    const { repository } = this.#context
    const format = this.#format ?? (tree.length === 64 ? 'sha256' : 'sha1')
    this.#caches.formats.set(repository, format)
    this.#hashAll(format)
    for (const stored of this.#oids.values()) this.#caches.known.add(repository, stored)
  }
}

function canBeSplit(error: unknown): boolean {
  return error instanceof BlobwireError && mayFitWhenSplit(error)
}
