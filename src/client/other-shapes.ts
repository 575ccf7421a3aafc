/** The form of the input of each call that is not of a blob. */
import { expectedKeys, show } from '../core/check-options.ts'
import type { BlobwireError } from '../core/error.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { isZeroOid, type ObjectKind, objectKinds } from '../git/oid.ts'
import { pathFields } from '../git/raw-path.ts'
import { branchRef, refFormatProblem, refNameProblem, refPrefixProblem } from '../git/ref-name.ts'
import { decodeUtf8, toNative } from '../platform/bytes.ts'
import { blobShapes } from './blob-shapes.ts'
import { change } from './change-shape.ts'
import type { Method } from './interceptor.ts'
import type { OperationName } from './operations.ts'
import { bytes, count, object, path, revision, type Take, text } from './take.ts'
import { aFunction, byPath, either, flag, list, mode, oidOrNull, seconds, source } from './take-values.ts'

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

const objectAddress = object({ oid: text, revision, path })

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

/** The inputs of operations in batches: without `sign`. */
export const operationShapes: Readonly<Record<OperationName, Take>> = {
  ...blobShapes,
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

const operationNames = Object.keys(operationShapes)

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
  if (!Object.hasOwn(operationShapes, name)) {
    throw new FieldProblem(`unknown operation ${show(name)}; ${expectedKeys(name, operationNames)}`)
  }
  try {
    return { [name]: operationShapes[name as OperationName](given[name]) }
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.within(name) : problem
  }
}

const objectFormat = either('sha1', 'sha256')

/** The inputs of calls that are not of blobs. */
export const otherShapes: Readonly<Record<Exclude<Method, 'listRepositories' | 'getCapabilities'>, Take>> = {
  ...operationShapes,
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
  upload: object({ source }, { required: ['source'] }),
  batch: object({ operations: list(operation), atomic: flag }, { required: ['operations'] })
}
