/** Finds the objects that the server lacks: `git rev-list --objects`, as `git push` does, and `findMissing`. */
import type { ObjectFormat, Repository } from '../../src/index.ts'
import { GitProcess, linesOf } from './git.ts'
import { OidList } from './oid-list.ts'

const kinds = ['blob', 'tree', 'commit', 'tag'] as const
export type Kind = (typeof kinds)[number]

/** The largest objects that the server takes, in bytes. */
export interface SizeLimits {
  readonly blob: number
  /** Larger blobs travel as streams, which are never in memory as a whole. */
  readonly inlineBlob: number
  /** Trees, commits and tags. */
  readonly other: number
}

/** An object above the server's limit. */
export interface LargeObject {
  readonly oid: string
  readonly kind: Kind
  /** Bytes. */
  readonly size: number
  /** A path at which it is; empty for commits, tags and blobs without one. */
  readonly path: string
}

/** The objects that the server lacks, by kind; commits come after their parents. */
export interface MissingObjects extends Readonly<Record<Kind, OidList>> {
  /** Blobs that travel as streams, which are not in the list of blobs, with their sizes in bytes. */
  readonly streamed: ReadonlyMap<string, number>
  /** Of all of them. */
  readonly bytes: number
  readonly large: ReadonlyMap<string, LargeObject>
}

/** The objects to look for. */
export interface Wanted {
  readonly directory: string
  readonly objectFormat: ObjectFormat
  /** Oids to copy with everything that they reach. */
  readonly wants: readonly string[]
  /** Oids of the local repository that the server has, with everything that they reach. */
  readonly haves: readonly string[]
  /** Where the server may have further objects; undefined = it has none. */
  readonly repo: Pick<Repository, 'findMissing'> | undefined
  readonly limits: SizeLimits
}

export function limitOf(kind: Kind, { blob, other }: SizeLimits): number {
  return kind === 'blob' ? blob : other
}

/** Oids in one question: 100 KB. */
const askedTogether = 2500

/** The kind, size and path of each object of a walk. */
async function* walk({ directory, wants, haves }: Wanted): AsyncGenerator<string, void> {
  const walker = new GitProcess(directory, ['rev-list', '--objects', '--topo-order', '--reverse', '--stdin'])
  const format = '%(objectname) %(objecttype) %(objectsize) %(rest)'
  const judge = new GitProcess(directory, ['cat-file', '--buffer', `--batch-check=${format}`])
  const feed = async () => {
    await walker.write([...wants.map((oid) => `${oid}\n`), ...haves.map((oid) => `^${oid}\n`)].join(''))
    walker.end()
    for await (const chunk of walker.output) await judge.write(chunk)
    judge.end()
    await walker.finish()
  }
  const fed = feed()
  fed.catch(() => judge.end())
  yield* linesOf(judge.output)
  await fed
  await judge.finish()
}

/** What the server lacks of everything that `wants` reach. @throws GitError for a repository with missing objects */
export async function findMissingObjects(wanted: Wanted): Promise<MissingObjects> {
  const lists = Object.fromEntries(kinds.map((kind) => [kind, new OidList(wanted.objectFormat)]))
  const missing = {
    ...(lists as Record<Kind, OidList>),
    large: new Map<string, LargeObject>(),
    streamed: new Map<string, number>(),
    bytes: 0
  }
  if (wanted.wants.length === 0) return missing
  let lines: string[] = []
  const takeLines = async () => {
    const asked = lines
    lines = []
    for (const line of await lacking(asked, wanted.repo)) take(line, missing, wanted.limits)
  }
  for await (const line of walk(wanted)) {
    lines.push(line)
    if (lines.length === askedTogether) await takeLines()
  }
  await takeLines()
  return missing
}

async function lacking(lines: readonly string[], repo: Wanted['repo']): Promise<readonly string[]> {
  if (repo === undefined || lines.length === 0) return lines
  const oidOf = (line: string) => line.slice(0, line.indexOf(' '))
  const { missing } = await repo.findMissing(lines.map(oidOf))
  const lacked = new Set(missing)
  return lines.filter((line) => lacked.has(oidOf(line)))
}

interface Found extends Record<Kind, OidList> {
  readonly large: Map<string, LargeObject>
  readonly streamed: Map<string, number>
  bytes: number
}

function take(line: string, missing: Found, limits: SizeLimits): void {
  const [oid = '', kind = '', text = '', ...path] = line.split(' ')
  const size = Number(text)
  if (!kinds.includes(kind as Kind)) throw new Error(`git cat-file: ${line}`)
  missing.bytes += size
  if (kind === 'blob' && size > limits.inlineBlob) missing.streamed.set(oid, size)
  else missing[kind as Kind].push(oid)
  if (size <= limitOf(kind as Kind, limits)) return
  const name = Buffer.from(path.join(' '), 'latin1').toString()
  missing.large.set(oid, { oid, kind: kind as Kind, size, path: name })
}
