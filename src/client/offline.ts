/**
 * Oids without a server: to skip work whose outcome is there already, or to compare a directory with a tree of a
 * repository.
 */
import { checkKeys, checkObject, show } from '../core/check-options.ts'
import { contentGone, isGone } from '../core/contents.ts'
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { encodeCommit } from '../git/commit.ts'
import type { Mode } from '../git/mode.ts'
import { hashObject, type ObjectFormat, type ObjectKind, objectFormats, objectKinds } from '../git/oid.ts'
import { pathFields } from '../git/raw-path.ts'
import type { Identity } from '../git/signature.ts'
import { encodeTag } from '../git/tag.ts'
import { buildTrees, type PathEntry } from '../git/tree-builder.ts'
import type { Author, Bytes, NewTreeEntry, Path, StoreCommitInput, StoreTagInput } from './inputs.ts'
import type { OperationInputs } from './operations.ts'
import { operationShapes } from './other-shapes.ts'
import { bytes, object, path, text, toBytes } from './take.ts'
import { mode } from './take-values.ts'

/** Options of the functions that compute oids. */
export interface OidOptions {
  /** @default 'sha1' */
  objectFormat?: ObjectFormat | undefined
}

/** An author with an explicit date, which is a part of the commit. */
export type DatedAuthor = Author & { timeSeconds: number }

/** A commit whose dates are given. */
export interface DatedCommit extends StoreCommitInput {
  author: DatedAuthor
  /** @default the author */
  committer?: DatedAuthor | undefined
}

/** An annotated tag with its date and the kind of its object. */
export interface DatedTag extends StoreTagInput {
  kind: ObjectKind
  tagger: DatedAuthor
}

/** A file of a tree: by oid, or by its content. */
export type TreeFile =
  | NewTreeEntry
  | {
      path: Path
      content: Bytes
      /** @default '100644' */
      mode?: Mode | undefined
    }

/** An oid of the other format would be wrong without a sign of it, so options are checked as those of calls are. */
function formatOf(options: OidOptions | undefined): ObjectFormat {
  if (typeof options === 'string')
    throw invalidArgument('options', `must be an object of options; use { objectFormat: ${show(options)} }`)
  const given = checkObject('options', options)
  checkKeys('', given, ['objectFormat'])
  const { objectFormat = 'sha1' } = given
  if (objectFormats.includes(objectFormat)) return objectFormat
  throw invalidArgument('objectFormat', `must be one of ${objectFormats.join(', ')}`)
}

/** Computes an oid; the errors name the function. @throws BlobwireError `invalid_argument` */
function named(method: string, compute: () => string): string {
  try {
    return compute()
  } catch (error) {
    throw error instanceof BlobwireError ? error.with({ method }) : error
  }
}

/** The content; one whose buffer was transferred would have the oid of an empty one. */
function bytesOf(content: Bytes): Uint8Array {
  if (content instanceof Uint8Array && isGone(content)) throw contentGone('content')
  return toBytes('content', content)
}

/**
 * The oid of an object by its content, which is not checked.
 * @param content the object without Git's header (`<kind> <size>\0`)
 * @throws BlobwireError `invalid_argument`
 */
export function objectOid(kind: ObjectKind, content: Bytes, options?: OidOptions): string {
  return named('objectOid', () => {
    if (objectKinds.includes(kind)) return hashObject(kind, bytesOf(content), formatOf(options))
    const given = typeof kind === 'object' && kind !== null ? 'an object; use objectOid(kind, content)' : show(kind)
    throw invalidArgument('kind', `must be one of ${objectKinds.join(', ')}, not ${given}`)
  })
}

/**
 * The oid that `storeBlob` gives this content, as `git hash-object` computes it.
 * @throws BlobwireError `invalid_argument` for what is neither bytes nor a string
 * @example
 * const { missing } = await repo.findMissing([blobOid(script), blobOid('hello\n')])
 */
export function blobOid(content: Bytes, options?: OidOptions): string {
  return named('blobOid', () => hashObject('blob', bytesOf(content), formatOf(options)))
}

/**
 * The oid of the tree of these files, with the subtrees that their paths need, as `storeTree` and `commitFiles` make it.
 * @throws BlobwireError `invalid_argument` for paths, modes and oids that no tree can hold
 * @example
 * const built = treeOid([{ path: 'bin/run', mode: '100755', content: script }, { path: 'lib', mode: '040000', oid }])
 * if ((await repo.getCommit('main')).commit.tree === built) console.log('nothing has changed')
 */
export function treeOid(files: Iterable<TreeFile>, options?: OidOptions): string {
  return named('treeOid', () => {
    const format = formatOf(options)
    const entries = entriesOf(files, format)
    try {
      return buildTrees(entries, format).oid
    } catch (error) {
      throw error instanceof BlobwireError ? error.renamed((field) => field.replace(/^entries/, 'files')) : error
    }
  })
}

function listHint(files: unknown): string {
  const isObject = typeof files === 'object' && files !== null
  return isObject ? '; use Object.entries(files).map(([path, content]) => ({ path, content }))' : ''
}

function entriesOf(files: Iterable<TreeFile>, format: ObjectFormat): PathEntry[] {
  if (typeof files !== 'object' || files === null || !(Symbol.iterator in files))
    throw invalidArgument(
      'files',
      `must be a list of files such as { path, content }, not ${show(files)}${listHint(files)}`
    )
  return Array.from(files, (given, index) => {
    const { path, rawPath, mode = '100644', oid, content } = takeFile(given, index)
    const at = pathFields(rawPath?.length ? rawPath : path)
    if (content === undefined) return { ...at, mode, oid: oid as string }
    return { ...at, mode, oid: hashObject('blob', toBytes(`files[${index}].content`, content), format) }
  })
}

type Taken = { path: Path } & Partial<NewTreeEntry & { content: Bytes }>

/** The keys of listings, too. */
const shapeOfFile = object(
  { path, rawPath: path, mode, rawMode: text, oid: text, content: bytes },
  { required: ['path'], aliases: { name: 'path' } }
)

function takeFile(given: unknown, index: number): Taken {
  try {
    const taken = shapeOfFile(given) as Taken
    const { oid, content } = taken
    if (oid === undefined && content === undefined) throw new FieldProblem('is required, or oid').within('content')
    if (oid !== undefined && content !== undefined)
      throw new FieldProblem('must not come with an oid').within('content')
    if (oid !== undefined && taken.mode === undefined) throw new FieldProblem('is required').within('mode')
    return taken
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.within(`files[${index}]`).toError() : problem
  }
}

/** The input as that of the operation. @throws BlobwireError `invalid_argument` */
function taken<Name extends 'storeCommit' | 'storeTag'>(name: Name, input: OperationInputs[Name]) {
  try {
    return operationShapes[name](input) as OperationInputs[Name]
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.toError() : problem
  }
}

function identityOf(author: Author, field: string): Identity {
  const { name, email, timeSeconds, zone = '+0000' } = author
  if (timeSeconds === undefined)
    throw invalidArgument(`${field}.timeSeconds`, 'is required: the date is a part of the commit')
  return { name, email, timeSeconds, zone }
}

/**
 * The oid of a commit, as `storeCommit` and `git commit-tree` make it.
 * @throws BlobwireError `invalid_argument` for values that a commit cannot have, and where a date is missing
 */
export function commitOid(commit: DatedCommit, options?: OidOptions): string {
  return named('commitOid', () => {
    const format = formatOf(options)
    const { tree, parents = [], author, committer = author, message } = taken('storeCommit', commit)
    const fields = {
      tree,
      parents,
      author: identityOf(author, 'author'),
      committer: identityOf(committer, 'committer'),
      message
    }
    return hashObject('commit', encodeCommit(fields), format)
  })
}

/**
 * The oid of an annotated tag, as `storeTag` and `git mktag` make it.
 * @throws BlobwireError `invalid_argument` for values that a tag cannot have, and where the date or the kind is missing
 */
export function tagOid(tag: DatedTag, options?: OidOptions): string {
  return named('tagOid', () => {
    const format = formatOf(options)
    const { object, kind, name, tagger, message } = taken('storeTag', tag)
    if (kind === undefined) throw invalidArgument('kind', 'is required: it is a part of the tag')
    return hashObject('tag', encodeTag({ object, kind, name, tagger: identityOf(tagger, 'tagger'), message }), format)
  })
}
