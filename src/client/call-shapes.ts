/** The form of the input and the options of every call, which are taken over when the call is made. */
import type { CallOptions } from '../call/call-options.ts'
import { expectedKeys, show } from '../core/check-options.ts'
import { type BlobwireError, invalidArgument } from '../core/error.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { checkHeaders } from '../core/headers.ts'
import { isZeroOid, type ObjectKind, objectKinds } from '../git/oid.ts'
import { pathFields } from '../git/raw-path.ts'
import { branchRef, refFormatProblem, refNameProblem, refPrefixProblem } from '../git/ref-name.ts'
import { decodeUtf8, toNative } from '../platform/bytes.ts'
import { change } from './change-shape.ts'
import type { CallMessages, Method } from './interceptor.ts'
import type { OperationInputs, OperationName } from './operations.ts'
import {
  aFunction,
  byPath,
  bytes,
  count,
  either,
  filePath,
  flag,
  list,
  mode,
  object,
  oidOrNull,
  path,
  revision,
  seconds,
  source,
  type Take,
  text
} from './take.ts'

const author = object(
  { name: text, email: text, timeSeconds: seconds, zone: text },
  {
    required: ['name', 'email'],
    aliases: {
      date: 'timeSeconds',
      seconds: 'timeSeconds',
      time: 'timeSeconds',
      timestamp: 'timeSeconds',
      when: 'timeSeconds',
      timezone: 'zone',
      offset: 'zone'
    }
  }
)

const page = { pageSize: count, pageToken: text }
const treeInput = { revision, path, recursive: flag }

const entries = list(
  object(
    // Listings have `rawMode`, too.
    { path, mode, oid: text, rawPath: path, rawMode: text },
    { required: ['path', 'mode', 'oid'], aliases: { name: 'path' } }
  )
)

function branch(value: unknown): unknown {
  try {
    branchRef(value as string)
    return value
  } catch (error) {
    throw new FieldProblem((error as BlobwireError).details.violations?.[0]?.description ?? '')
  }
}

/** The text of a name, or its bytes where it is not UTF-8. */
function refName(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return text(value)
  const { path, rawPath } = pathFields(value)
  return rawPath?.slice() ?? path
}

const refUpdate = object(
  { name: refName, expectedOid: oidOrNull, newOid: oidOrNull },
  {
    required: ['name', 'expectedOid', 'newOid'],
    nothing: { expectedOid: ' (null where the ref must not exist)', newOid: ' (null deletes the ref)' }
  }
)

function update(value: unknown): unknown {
  const taken = refUpdate(value) as { name: string | Uint8Array; newOid: string | null }
  const name = typeof taken.name === 'string' ? taken.name : decodeUtf8(toNative(taken.name))
  const isDeletion = taken.newOid === null || isZeroOid(taken.newOid)
  const problem = isDeletion ? refFormatProblem(name) : refNameProblem(name)
  if (problem !== undefined) throw new FieldProblem(problem).within('name')
  return taken
}

function refPrefix(value: unknown): unknown {
  const prefix = text(value) as string
  const problem = refPrefixProblem(prefix)
  if (problem !== undefined) throw new FieldProblem(problem)
  return prefix
}

const blobAddress = object({ oid: text, revision, path: filePath })
const objectAddress = object({ oid: text, revision, path })

const blob = object({ content: bytes }, { required: ['content'] })

/** Most calls of most applications have this input: a content of some bytes, which needs no second look. */
function storeBlob(value: unknown): unknown {
  for (const key in value as object) if (key !== 'content') return blob(value)
  const content = (value as { content?: unknown } | undefined)?.content
  return content instanceof Uint8Array && content.length > 0 ? { content } : blob(value)
}

function objectKind(value: unknown): unknown {
  if (objectKinds.includes(value as ObjectKind)) return value
  throw new FieldProblem(`must be one of ${objectKinds.join(', ')}, not ${show(value)}`)
}

const check = either('strict', 'lenient')
const commitShape = { tree: text, parents: list(text), author, committer: author, message: text }
const requiredOfCommit = { required: ['tree', 'author', 'message'] }

const tagShape = { object: text, kind: objectKind, name: text, tagger: author, message: text }
const rulesOfTag = {
  required: ['object', 'name', 'tagger', 'message'],
  aliases: { tag: 'name', type: 'kind', oid: 'object' }
}

const changesShape = {
  branch,
  changes: byPath(change, "{ 'a.txt': 'content' }"),
  guards: byPath(oidOrNull, "{ 'a.txt': oid }"),
  message: text,
  author,
  committer: author,
  expectedHead: oidOrNull
}
const requiredOfChanges = { required: ['branch', 'changes', 'message', 'author'] }

const operations: Readonly<Record<OperationName, Take>> = {
  storeBlob,
  getBlob(value) {
    const address = blobAddress(value) as Record<string, unknown>
    const { oid, revision, path: at } = address
    const isOne = oid === undefined ? revision !== undefined && at !== undefined : (revision ?? at) === undefined
    if (isOne) return address
    throw new FieldProblem(`must be the address of a blob: { oid }, or { revision, path }, not ${show(value)}`)
  },
  findMissing: object({ oids: list(text) }, { required: ['oids'] }),
  storeTree: object({ entries, baseTree: text }, { required: ['entries'] }),
  getTree: object({ ...treeInput, ...page }),
  storeCommit: object(commitShape, requiredOfCommit),
  getCommit: object({ revision }),
  listCommits: object({ revision, path, ...page }),
  commitFiles: object({ ...changesShape, requestKey: text }, requiredOfChanges),
  listRefs: object({ prefix: refPrefix, ...page }),
  updateRefs: object({ updates: list(update), requestKey: text }, { required: ['updates'] }),
  compare: object({ base: revision, head: revision, ...page }, { required: ['base', 'head'] }),
  getRepository: object({}),
  storeObject: object({ kind: objectKind, content: bytes, check }, { required: ['kind', 'content'] }),
  getObject(value) {
    const address = objectAddress(value) as Record<string, unknown>
    const { oid, revision, path: at } = address
    if (oid === undefined ? revision !== undefined : (revision ?? at) === undefined) return address
    throw new FieldProblem('must be the address of an object: { oid }, { revision }, or { revision, path }')
  },
  storeTag: object(tagShape, rulesOfTag),
  getTag: object({ revision }, { required: ['revision'] })
}

const operationNames = Object.keys(operations)

type Given = Readonly<Record<string, unknown>>

/** One operation of a batch. */
function operation(value: unknown): unknown {
  const given = (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}) as Given
  let name = ''
  let count = 0
  for (const key in given) {
    if (given[key] === undefined) continue
    name = key
    count++
  }
  if (count !== 1)
    throw new FieldProblem(`must be an object with one key, such as { storeBlob: … }, not ${show(value)}`)
  if (!Object.hasOwn(operations, name)) {
    throw new FieldProblem(`unknown operation ${show(name)}; ${expectedKeys(name, operationNames)}`)
  }
  try {
    return { [name]: operations[name as OperationName](given[name]) }
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.within(name) : problem
  }
}

const objectFormat = either('sha1', 'sha256')

const inputs: Readonly<Record<Method, Take>> = {
  ...operations,
  getTree: object(treeInput),
  createRepository: object({ objectFormat, defaultBranch: branch }),
  updateRepository: object(
    { defaultBranch: branch },
    { required: ['defaultBranch'], aliases: { head: 'defaultBranch', branch: 'defaultBranch' } }
  ),
  storeCommit: object({ ...commitShape, sign: aFunction }, requiredOfCommit),
  storeTag: object({ ...tagShape, sign: aFunction }, rulesOfTag),
  commitFiles: object({ ...changesShape, sign: aFunction }, requiredOfChanges),
  deleteRepository: object({}),
  listRepositories: object({ prefix: text, ...page }),
  getCapabilities: object({}),
  upload: object({ source }, { required: ['source'] }),
  batch: object({ operations: list(operation), atomic: flag }, { required: ['operations'] })
}

/**
 * The input of a call, checked and copied but for its contents.
 * @throws BlobwireError `invalid_argument` that names the call, the field and what is allowed
 */
export function takeInput<Name extends Method>(method: Name, input: CallMessages[Name]): CallMessages[Name] {
  try {
    return inputs[method](input) as CallMessages[Name]
  } catch (problem) {
    if (!(problem instanceof FieldProblem)) throw problem
    const { path: key } = problem
    const isOption = key === 'requestKey' ? ownOptions[method]?.includes(key) : optionKeys.includes(key)
    if (!isOption) throw problem.toError(method)
    throw invalidArgument(key, `is no key of the input but an option, in the last argument: { ${key} }`, method)
  }
}

/** The input of an operation, as `batch` takes it: without `sign`. @throws FieldProblem */
export function takeOperation<Name extends OperationName>(name: Name, input: OperationInputs[Name]) {
  return operations[name](input) as OperationInputs[Name]
}

export const optionKeys: readonly string[] = [
  ...['signal', 'timeoutMs', 'headers', 'token', 'transport', 'priority', 'retry', 'attemptTimeoutMs', 'hedge']
]

/** Options of single calls besides those that all have. */
const ownOptions: { readonly [Name in Method]?: readonly string[] } = {
  createRepository: ['objectFormat', 'defaultBranch', 'requestKey'],
  updateRepository: ['requestKey'],
  deleteRepository: ['requestKey'],
  storeTree: ['baseTree'],
  commitFiles: ['requestKey', 'stallTimeoutMs', 'onProgress'],
  updateRefs: ['requestKey'],
  upload: ['size', 'oid', 'stallTimeoutMs', 'onProgress', 'resume', 'onResumeToken'],
  batch: ['atomic', 'requestKey']
}

/** Name of a method that takes options: also of those that make several calls. */
type CalledName = Method | 'readFiles' | 'archive' | 'checkout'

/** @throws BlobwireError `invalid_argument` for options that the call does not have */
export function checkCallOptions(method: CalledName, options: CallOptions | undefined): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const hint = method === 'getBlob' && typeof options === 'string' ? '; by path: getBlob({ revision, path })' : ''
    throw invalidArgument('options', `must be an object of options, not ${show(options)}${hint}`)
  }
  for (const key in options) {
    const own = ownOptions[method as Method] ?? []
    if (optionKeys.includes(key) || own.includes(key)) continue
    const description = `unknown option; ${expectedKeys(key, [...optionKeys, ...own])}`
    throw invalidArgument(key, description, method)
  }
}

/** The options of a call, checked and copied. */
export function takeOptions(method: CalledName, options: CallOptions): CallOptions {
  checkCallOptions(method, options)
  return options.headers === undefined ? { ...options } : { ...options, headers: checkHeaders(options.headers) }
}
