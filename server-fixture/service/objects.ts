/** The RPCs about objects of any kind, as their bytes. */
import { invalidArgument } from '../../src/core/error.ts'
import { type ObjectKind, objectKinds } from '../../src/git/oid.ts'
import { binaryPath, showPath } from '../../src/git/raw-path.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkOid, limitExceeded, notFound, precondition, tooLargeToRead } from './errors.ts'
import { checkObject } from './object-check/check-object.ts'
import { type DotFile, describeProblem, type ProblemId } from './object-check/checked-object.ts'
import { gitattributesProblems, gitmodulesProblems } from './object-check/dot-files.ts'
import { checkKinds } from './references.ts'
import { type Found, findObject, findTree } from './revision.ts'
import { entryAt } from './tree-path.ts'
import type { Workspace } from './workspace.ts'

/** An object that is asked for or given by its bytes. */
interface Sized {
  readonly kind: ObjectKind
  readonly size: number
  /** Of an object that is read. */
  readonly oid?: string
}

/** Objects that are no blobs are parsed, and travel in one message: the limit of messages is theirs. */
function checkSize({ limits }: Workspace, { kind, size, oid }: Sized): void {
  const isBlob = kind === 'blob'
  const maximum = isBlob ? limits.maxInlineBytes : limits.maxBatchBytes
  if (size <= maximum) return
  if (isBlob && oid !== undefined) throw tooLargeToRead(oid, maximum, size)
  const limit = isBlob ? 'max_inline_bytes' : 'max_batch_bytes'
  const otherWay = isBlob ? '; UploadBlob stores it' : ', and has no other way yet'
  const message = `a ${kind} of ${size} bytes exceeds ${limit} (${maximum})${otherWay}`
  throw limitExceeded(limit, maximum, size).with({ message })
}

/** StoreObject. */
export async function storeObject(
  workspace: Workspace,
  { kind, content, check }: Messages['StoreObjectRequest']
): Promise<Messages['StoreObjectResponse']> {
  if (!objectKinds.includes(kind)) throw invalidArgument('kind', `must be one of ${objectKinds.join(', ')}`)
  if (!['', 'strict', 'lenient'].includes(check)) throw invalidArgument('check', 'must be strict or lenient')
  checkSize(workspace, { kind, size: content.length })
  const { problems, named, dotFiles = [] } = checkObject(kind, content, workspace.format)
  if (check !== 'lenient') refuseProblems(kind, problems)
  await checkKinds(workspace, named)
  const inFiles = await Promise.all(dotFiles.map((file) => problemsInFile(workspace, file)))
  const all = [...new Set([...problems, ...inFiles.flat()])]
  if (check !== 'lenient') refuseProblems(kind, all)
  return { oid: workspace.stage(kind, content), size: content.length, warnings: all.map(describeProblem) }
}

function refuseProblems(kind: ObjectKind, problems: readonly ProblemId[]): void {
  if (problems.length === 0) return
  const found = problems.map(describeProblem).map(({ id, message }) => `${id} (${message})`)
  throw invalidArgument(
    'content',
    `\`git fsck --strict\` reports ${found.join(', ')}; check: 'lenient' takes the ${kind} all the same`
  )
}

/** Every root tree of a history may name the same file: a batch of them reads it once. */
const filesChecked = new WeakMap<Workspace, Map<string, Promise<ProblemId[]>>>()

/** The problems of the content of a file that Git reads itself. */
function problemsInFile(workspace: Workspace, file: DotFile): Promise<ProblemId[]> {
  const checked = filesChecked.get(workspace) ?? new Map<string, Promise<ProblemId[]>>()
  filesChecked.set(workspace, checked)
  const key = `${file.name} ${file.oid}`
  const found = checked.get(key) ?? checkFile(workspace, file)
  checked.set(key, found)
  return found
}

async function checkFile(workspace: Workspace, { name, oid }: DotFile): Promise<ProblemId[]> {
  const object = await workspace.read(oid)
  if (object === undefined) return [`${name}Missing`]
  const { kind, content } = object
  if (kind !== 'blob') return [`${name}Blob`]
  if (content === undefined) return [`${name}Large`]
  return name === 'gitmodules' ? gitmodulesProblems(content) : gitattributesProblems(content)
}

/** GetObject. */
export async function getObject(
  workspace: Workspace,
  request: Messages['GetObjectRequest']
): Promise<Messages['GetObjectResponse']> {
  const { oid, kind } = await addressed(workspace, request)
  if (kind === 'blob') {
    const object = await workspace.read(oid)
    checkSize(workspace, { kind, size: object?.size ?? 0, oid })
    if (object?.content === undefined) throw notFound('object', `object ${oid} not found`)
    return { oid, kind, size: object.size, content: object.content }
  }
  checkSize(workspace, { kind, size: (await workspace.info(oid))?.size ?? 0, oid })
  const content = await workspace.content(kind, oid)
  return { oid, kind, size: content.length, content }
}

async function addressed(workspace: Workspace, request: Messages['GetObjectRequest']): Promise<Found> {
  const { oid, revision } = request
  const path = binaryPath(request)
  if (oid !== '') {
    if (revision !== '' || path !== '') throw invalidArgument('oid', 'must be empty where revision and path are given')
    return existing(workspace, checkOid('oid', oid, workspace.format))
  }
  if (revision === '') throw invalidArgument('oid', 'is required, or revision')
  if (path === '') return findObject(workspace, revision)
  const entry = await entryAt(workspace, await findTree(workspace, revision), path)
  if (entry === undefined) throw notFound('path', `${showPath(path)} not found`)
  if (entry.mode === '160000') {
    throw precondition('wrong_kind', `${showPath(path)} is a submodule: its commit is elsewhere`)
  }
  return existing(workspace, entry.oid)
}

async function existing(workspace: Workspace, oid: string): Promise<Found> {
  const info = await workspace.info(oid)
  if (info === undefined) throw notFound('object', `object ${oid} not found`)
  return { oid, kind: info.kind }
}
