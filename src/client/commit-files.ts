/**
 * Commits any number of changes in few requests: batches store the contents that the server lacks, and the commit names
 * them by oid. A small commit is one request, with its contents.
 */
import { estimateBytes, splitBySize } from '../batch/split.ts'
import type { CallOptions } from '../call/call-options.ts'
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { hashObject, isZeroOid, zeroOid } from '../git/oid.ts'
import { pathProblem } from '../git/path.ts'
import { branchRef } from '../git/ref-name.ts'
import { buildTrees } from '../git/tree-builder.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { type BatchContext, runBatch } from './batch.ts'
import { headKey } from './client-caches.ts'
import type { CommitFilesInput } from './inputs.ts'
import { derivedKey, newRequestKey, type WriteOptions } from './request-key.ts'
import { changeList, fileChange, newSignatures } from './to-request.ts'
import { integrity, verifyResponse } from './verify/answers.ts'

type FileChange = Init<Messages['FileChange']>
type Response = Messages['CommitFilesResponse']

/** Contents up to this total are sent in the commit itself. */
const inlineBytes = 64 * 1024

/** Commits the changes on top of the branch. @throws BlobwireError; see `Repository.commitFiles` */
export async function commitFiles(
  context: BatchContext,
  input: CommitFilesInput,
  options: WriteOptions
): Promise<Response> {
  const { requestKey = newRequestKey() } = options
  const remaining = context.invoker.shared(options)
  const ref = branchRef(input.branch)
  const changes = changeList(input.changes).map(([path, change]) => {
    const problem = pathProblem(path)
    if (problem !== undefined) throw invalidArgument(`changes[${JSON.stringify(path.slice(0, 200))}]`, problem)
    return fileChange(path, change)
  })
  const contentBytes = changes.reduce((sum, { content }) => sum + (content?.length ?? 0), 0)
  const target: Target = {
    ref,
    head: givenHead(context, input) ?? context.invoker.caches.heads.get(headKey(context.repository, ref))
  }
  const lean = contentBytes <= inlineBytes ? changes : await storeContents(context, { changes, target, remaining })
  const fields = { branch: ref, message: input.message, ...newSignatures(input) }
  const headIsGiven = input.expectedHead !== undefined
  return commitOnHead(context, { fields, changes: lean, target, headIsGiven, requestKey, remaining })
}

/** The branch that the commit goes to; `head` is filled in when the branch is first seen. */
interface Target {
  readonly ref: string
  head: string | undefined
}

function givenHead(context: BatchContext, input: CommitFilesInput): string | undefined {
  return input.expectedHead === null ? zeroOid(context.defaults.objectFormat) : input.expectedHead
}

interface Storing {
  readonly changes: readonly FileChange[]
  readonly target: Target
  readonly remaining: () => CallOptions
}

/** Stores the contents that the server lacks, and returns the changes with oids instead. Also looks up the head. */
async function storeContents(context: BatchContext, { changes, target, remaining }: Storing): Promise<FileChange[]> {
  const { invoker, defaults } = context
  const { maxInlineBytes } = await invoker.limits(remaining())
  const contents = new Map<string, Uint8Array>()
  const named = changes.map(({ content, ...change }) => {
    if (content === undefined) return change
    if (content.length > maxInlineBytes) throw tooLarge(change.path ?? '', content.length, maxInlineBytes)
    const oid = hashObject('blob', content, defaults.objectFormat)
    contents.set(oid, content)
    return { ...change, oid }
  })
  const lookups = splitBySize([...contents.keys()], () => 80, {
    ...invoker.caches.limits,
    maxBatchOperations: Infinity
  })
  const [found, ...answers] = await runBatch(
    context,
    [{ listRefs: { prefix: target.ref, pageSize: 1 } }, ...lookups.map((oids) => ({ findMissing: { oids } }))],
    remaining()
  )
  if (!found.ok) throw found.error
  target.head ??= found.value.refs.find(({ name }) => name === target.ref)?.oid
  const missing: string[] = []
  for (const answer of answers) {
    if (!answer.ok) throw answer.error
    missing.push(...answer.value.missing)
  }
  const stores = missing.map((oid) => ({ storeBlob: { content: contents.get(oid) as Uint8Array } }))
  for (const { error } of await runBatch(context, stores, remaining())) if (error) throw error
  return named
}

function tooLarge(path: string, actual: number, maximum: number): BlobwireError {
  const message = `${path}: the content has ${actual} bytes; at most maxInlineBytes (${maximum}) are allowed`
  const details = { limit: { limit: 'max_inline_bytes', maximum, actual } }
  return new BlobwireError({ code: 'resource_exhausted', message, details })
}

interface Committing {
  readonly fields: Init<Messages['CommitFilesRequest']>
  readonly changes: readonly FileChange[]
  readonly target: Target
  /** The input names the head; otherwise the commit follows a branch that moves. */
  readonly headIsGiven: boolean
  /** Of the first round; each further one is another request. */
  readonly requestKey: string
  readonly remaining: () => CallOptions
}

/** Sends the commit, again on top of others' commits in between, until the deadline. */
async function commitOnHead(context: BatchContext, committing: Committing): Promise<Response> {
  const { invoker, repository, defaults } = context
  const { fields, changes, target, requestKey: first, remaining } = committing
  let expectedHead = target.head ?? zeroOid(defaults.objectFormat)
  for (let round = 0; ; round++) {
    const requestKey = round === 0 ? first : derivedKey(first, round)
    const staged = await stageChanges(context, { changes, expectedHead, remaining })
    const request = { ...fields, ...staged, repository, expectedHead }
    try {
      const response = await invoker.invoke(methods.commitFiles, request, withKey(remaining(), requestKey))
      if (invoker.options.verify) {
        verifyResponse('commitFiles', request, response)
        verifyWholeTree(context, { changes, expectedHead, response })
      }
      invoker.caches.heads.set(headKey(repository, target.ref), response.oid)
      return response
    } catch (error) {
      const found = error instanceof BlobwireError ? error.details.refMismatches?.[0]?.foundOid : undefined
      if (committing.headIsGiven || found === undefined || found === expectedHead) throw error
      expectedHead = found
    }
  }
}

const withKey = (options: CallOptions, requestKey: string): WriteOptions => ({ ...options, requestKey })

/** On a new branch the changes are the whole tree, so that its oid is known here. */
function verifyWholeTree(
  context: BatchContext,
  { changes, expectedHead, response }: { changes: readonly FileChange[]; expectedHead: string; response: Response }
): void {
  const { objectFormat } = context.defaults
  const entries = changes.map(({ path = '', mode, oid, content }) => ({
    path,
    mode: mode || '100644',
    oid: oid ?? (content ? hashObject('blob', content as Uint8Array, objectFormat) : '')
  }))
  if (!isZeroOid(expectedHead) || entries.some(({ oid }) => oid === '')) return
  const { oid } = buildTrees(entries, objectFormat)
  if (oid !== response.tree) throw integrity('tree of the new commit', oid, response.tree)
}

interface Staging {
  readonly changes: readonly FileChange[]
  readonly expectedHead: string
  readonly remaining: () => CallOptions
}

/** Stores a list of changes that is too long for one request as trees first, all but its last run and the moves. */
async function stageChanges(
  context: BatchContext,
  { changes, expectedHead, remaining }: Staging
): Promise<{ changes: readonly FileChange[]; baseTree?: string }> {
  const { invoker, repository } = context
  const base64 = invoker.transport === 'json'
  const sizeOf = (change: FileChange) => estimateBytes(change, base64)
  const bounds = { ...invoker.caches.limits, maxBatchOperations: Infinity }
  if (splitBySize(changes, sizeOf, bounds).length <= 1) return { changes }
  const withoutMoves = changes.filter(({ moveFrom }) => moveFrom === undefined)
  const runs = splitBySize(withoutMoves, sizeOf, bounds)
  const last = runs.pop() ?? []
  let baseTree = isZeroOid(expectedHead) ? '' : await treeOf(context, expectedHead, remaining())
  for (const run of runs) {
    const entries = run.map(({ path = '', mode, oid }) => ({ path, mode: mode || '100644', oid: oid ?? '' }))
    baseTree = (await invoker.invoke(methods.storeTree, { repository, entries, baseTree }, remaining())).oid
  }
  return { changes: [...last, ...changes.filter(({ moveFrom }) => moveFrom !== undefined)], baseTree }
}

async function treeOf(context: BatchContext, revision: string, options: CallOptions): Promise<string> {
  const { invoker, repository } = context
  return (await invoker.operation('getCommit', { repository, revision }, options)).commit.tree
}
