/** `archive`: the files of a tree as one stream. */
import type { CallOptions } from '../../call/call-options.ts'
import { BlobwireError } from '../../core/error.ts'
import { isOid } from '../../git/oid.ts'
import { answeredPath, binaryPath } from '../../git/raw-path.ts'
import { gzipChunks, zipChunks } from '../../platform/archives.ts'
import { decodeLatin1, encodeLatin1, isUtf8, toNative } from '../../platform/bytes.ts'
import type { ZipMember } from '../../platform/platform.ts'
import type { RepositoryCalls } from '../calls.ts'
import { type Content, ContentReader } from './content-reader.ts'
import type { ArchiveInput } from './inputs.ts'
import { readLargeFile } from './large-file.ts'
import { type ListedFile, listFiles } from './listing.ts'
import { unwritablePaths } from './problems.ts'
import { tarEnd, tarHeader, tarPadding } from './tar.ts'

/** A member of an archive: a directory has no content. */
interface Member {
  /** As a binary string; that of a directory ends with a slash. */
  readonly path: string
  readonly mode: string
  readonly content?: Content
  readonly open: () => AsyncIterable<Uint8Array>
}

interface Members {
  readonly mtime: Date
  readonly members: AsyncIterable<Member>
}

/** @throws BlobwireError; see `Repository.archive` */
export async function* archive(
  calls: RepositoryCalls,
  input: ArchiveInput,
  options: CallOptions
): AsyncGenerator<Uint8Array, void> {
  const { format } = input
  const found = await membersOf(calls, input, options)
  if (format === 'zip') yield* zipChunks(zipMembers(found))
  else if (format === 'tar') yield* tarChunks(found)
  else yield* gzipChunks(tarChunks(found))
}

async function membersOf(
  calls: RepositoryCalls,
  { revision = 'HEAD', path = '', glob, prefix = '', format }: ArchiveInput,
  options: CallOptions
): Promise<Members> {
  const requestOptions = options.timeoutMs === undefined ? () => options : calls.invoker.shared(options)
  const { tree, timeSeconds } = await commitOf(calls, revision, requestOptions())
  const { files } = await listFiles(calls, { revision: tree, path, glob }, requestOptions())
  const before = binaryPath({ path: prefix })
  checkNames(files, before, format)
  const members = eachMember({ files, before, calls, options: requestOptions })
  return { mtime: timeOf(timeSeconds, format), members }
}

/** The tree of a revision, and the time of its commit; that of a tree alone is 1970. */
async function commitOf(calls: RepositoryCalls, revision: string, options: CallOptions) {
  try {
    const { commit } = await calls.run('getCommit', { revision }, options)
    return { tree: commit.tree, timeSeconds: commit.committer.timeSeconds }
  } catch (error) {
    const isTree = error instanceof BlobwireError && error.reason === 'wrong_kind' && isOid(revision)
    if (!isTree) throw error
    return { tree: revision, timeSeconds: 0 }
  }
}

interface MemberOptions {
  readonly files: readonly ListedFile[]
  readonly before: string
  readonly calls: RepositoryCalls
  readonly options: () => CallOptions
}

/** Directories come before what is in them, as `git archive` has them; a submodule is an empty one. */
async function* eachMember({ files, before, calls, options }: MemberOptions): AsyncGenerator<Member, void> {
  const isBlob = ({ mode }: ListedFile) => mode !== '160000'
  const oids = files.filter(isBlob).map(({ oid }) => oid)
  const contents = new ContentReader(oids, { calls, options }).contents()
  const made = new Set<string>()
  const none = () => ({ async *[Symbol.asyncIterator]() {} })
  try {
    for (const file of files) {
      const path = before + file.path
      for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
        const directory = path.slice(0, slash + 1)
        if (made.has(directory)) continue
        made.add(directory)
        yield { path: directory, mode: '040000', open: none }
      }
      if (!isBlob(file)) yield { path: `${path}/`, mode: '040000', open: none }
      else {
        const content = (await contents.next()).value as Content
        yield { path, mode: file.mode, content, open: () => readLargeFile(calls, file.oid, options()) }
      }
    }
  } finally {
    await contents.return()
  }
}

/** The permissions that `git archive` gives to members of a tar archive. */
const tarModes: Readonly<Record<string, number>> = {
  '100644': 0o664,
  '100755': 0o775,
  '120000': 0o777,
  '040000': 0o775
}

async function* tarChunks({ mtime, members }: Members): AsyncGenerator<Uint8Array, void> {
  for await (const { path: name, mode, content, open } of members) {
    const common = { name, mode: tarModes[mode] as number, mtime }
    if (content === undefined) yield await tarHeader({ ...common, type: 'directory', size: 0 })
    else if (mode === '120000' && content.bytes !== undefined) {
      const linkname = decodeLatin1(toNative(content.bytes))
      yield await tarHeader({ ...common, type: 'symlink', size: 0, linkname })
    } else {
      yield await tarHeader({ ...common, type: 'file', size: content.size })
      if (content.bytes === undefined) yield* open()
      else if (content.size > 0) yield content.bytes
      if (content.size % 512 > 0) yield tarPadding(content.size)
    }
  }
  yield tarEnd
}

/** Type and permissions of members of a zip archive. */
const zipModes: Readonly<Record<string, number>> = {
  '100644': 0o100644,
  '100755': 0o100755,
  '120000': 0o120777,
  '040000': 0o040755
}

async function* zipMembers({ mtime, members }: Members): AsyncGenerator<ZipMember, void> {
  for await (const { path, mode, content, open } of members) {
    const common = { path: answeredPath(path).path, mode: zipModes[mode] as number, mtime }
    yield { ...common, content: content && (content.bytes ?? open()) }
  }
}

const [latestZip, latestTar] = [2 ** 32 - 1, 2 ** 33 - 1]

/** The time of a commit, as far as the format has room for it: Git's may be any number, and yazl ends the process over others. */
function timeOf(timeSeconds: number, format: ArchiveInput['format']): Date {
  const latest = format === 'zip' ? latestZip : latestTar
  return new Date(Math.min(Math.max(0, timeSeconds), latest) * 1000)
}

/** Trees of other tools may have names that lead out of the directory in which an archive is unpacked. */
function checkNames(files: readonly ListedFile[], before: string, format: ArchiveInput['format']): void {
  const problems = files.flatMap(({ path }) => {
    const problem = nameProblem(before + path, format)
    return problem === undefined ? [] : [{ path, problem }]
  })
  if (problems.length > 0) throw unwritablePaths('there is no archive', problems)
}

function nameProblem(path: string, format: ArchiveInput['format']): string | undefined {
  if (/(?:^|\/)(?:\.{0,2})(?:\/|$)/.test(path)) return 'must not have an empty name, "." or ".." in it'
  if (format !== 'zip') return undefined
  // APPNOTE.TXT, appendix D; a backslash is a separator to some programs, and "C:" a disk.
  if (!isUtf8(encodeLatin1(path)) || path.includes('\\'))
    return 'must be UTF-8 without a backslash in a zip archive; use tar'
  return /^[A-Za-z]:/.test(path) ? 'must not begin as the name of a disk in a zip archive; use tar' : undefined
}
