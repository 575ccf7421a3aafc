/** Decides, before anything is sent, which objects and refs go to the server. */
import type { Repository } from '../../src/index.ts'
import { GitProcess, linesOf } from './git.ts'
import {
  findMissingObjects,
  type LargeObject,
  limitOf,
  type MissingObjects,
  type SizeLimits
} from './missing-objects.ts'
import { ObjectReader } from './object-reader.ts'
import type { OidList } from './oid-list.ts'
import { readable } from './ref-name.ts'
import { referencesOf } from './references.ts'
import { type Culprits, type Sorted, sortObjects } from './sort-objects.ts'
import type { Source, SourceRef } from './source.ts'

/** A ref that is not copied. */
export interface LeftOutRef {
  /** For a reader. */
  readonly name: string
  readonly reason: string
}

/** Objects to send: blobs first, then trees, commits and tags. */
export interface SortedObjects {
  readonly blob: OidList
  /** Blobs that travel as streams, with their sizes in bytes. */
  readonly streamed: ReadonlyMap<string, number>
  readonly tree: Sorted
  readonly commit: Sorted
  readonly tag: Sorted
}

/** The work of one run. */
export interface Plan {
  /** What the server lacks. */
  readonly objects: SortedObjects
  /** Of all objects. */
  readonly bytes: number
  /** Refs to be as in the source; those that are so already are among them. */
  readonly refs: readonly SourceRef[]
  readonly leftOut: readonly LeftOutRef[]
  /** Objects above the server's limit, because of which refs are left out. */
  readonly large: readonly LargeObject[]
}

/** The server's side. */
export interface Target {
  readonly repo: Repository
  /** The branch that HEAD names, as a full name; undefined = the repository does not exist. */
  readonly defaultBranch: string | undefined
  /** Oids by name. */
  readonly refs: ReadonlyMap<string, string>
  readonly limits: SizeLimits
}

/** @throws GitError for a damaged source */
export async function makePlan(source: Source, target: Target): Promise<Plan> {
  const reader = new ObjectReader(source.directory)
  try {
    const all = await lookAt(source, target, { refs: source.refs, reader })
    const { culprits, objects, bytes, large } = all
    if (culprits.size === 0) return { objects, bytes, refs: source.refs, leftOut: [], large: [] }
    const leftOut = source.refs.filter(({ oid }) => culprits.has(oid))
    const refs = source.refs.filter(({ oid }) => !culprits.has(oid))
    // The objects that only the refs left out reach are of no use there.
    const rest = await lookAt(source, target, { refs, reader })
    return {
      objects: rest.objects,
      bytes: rest.bytes,
      refs,
      leftOut: leftOut.map(({ name, oid }) => ({ name: readable(name), reason: culprits.get(oid) as string })),
      large
    }
  } finally {
    await reader.close()
  }
}

interface Looking {
  readonly refs: readonly SourceRef[]
  readonly reader: ObjectReader
}

async function lookAt(source: Source, target: Target, { refs, reader }: Looking) {
  const { directory, objectFormat } = source
  const there = new Set(target.refs.values())
  const wants = [...new Set(refs.map(({ oid }) => oid))].filter((oid) => !there.has(oid))
  const found = await findMissingObjects({
    directory,
    objectFormat,
    wants,
    haves: wants.length === 0 ? [] : await known(source, there),
    repo: target.defaultBranch === undefined ? undefined : target.repo,
    limits: target.limits
  })
  const culprits: Culprits = new Map()
  for (const { oid, kind, size, path } of found.large.values()) {
    culprits.set(
      oid,
      `${kind} ${oid} has ${size} bytes, the server takes ${limitOf(kind, target.limits)}${path && ` (${path})`}`
    )
  }
  await addShallow(culprits, { source, found, reader, target })
  const context = { reader, objectFormat }
  const tree = await sortObjects(found.tree, culprits, context)
  // `rev-list` has sorted them; they are read only to find out which of them reach a culprit.
  const commit = culprits.size === 0 ? { oids: found.commit } : await sortObjects(found.commit, culprits, context)
  const tag = await sortObjects(found.tag, culprits, context)
  const { blob, streamed, bytes } = found
  return { culprits, large: [...found.large.values()], bytes, objects: { blob, streamed, tree, commit, tag } }
}

/** Those of the server's oids that the source has, too. */
async function known({ directory, refs }: Source, oids: ReadonlySet<string>): Promise<string[]> {
  const own = new Set(refs.map(({ oid }) => oid))
  const asked = [...oids].filter((oid) => !own.has(oid))
  const shared = [...oids].filter((oid) => own.has(oid))
  if (asked.length === 0) return shared
  const git = new GitProcess(directory, ['cat-file', '--buffer', '--batch-check=%(objectname)'])
  const fed = git.write(asked.map((oid) => `${oid}\n`).join('')).then(() => git.end())
  for await (const line of linesOf(git.output)) if (!line.endsWith(' missing')) shared.push(line)
  await fed
  await git.finish()
  return shared
}

interface Shallow {
  readonly source: Source
  readonly found: MissingObjects
  readonly reader: ObjectReader
  readonly target: Target
}

/** The parents at which a shallow history ends are culprits, unless the server has them. As in `git push`. */
async function addShallow(culprits: Culprits, { source, found, reader, target }: Shallow): Promise<void> {
  if (source.shallow.length === 0 || found.commit.length === 0) return
  const sent = new Set(found.commit)
  const boundary = source.shallow.filter((oid) => sent.has(oid))
  const parents = new Map<string, string>()
  for await (const commit of reader.read(boundary)) {
    for (const oid of referencesOf(commit).slice(1)) if (!sent.has(oid)) parents.set(oid, commit.oid)
  }
  if (parents.size === 0) return
  const asked = [...parents.keys()]
  const { missing } = target.defaultBranch === undefined ? { missing: asked } : await target.repo.findMissing(asked)
  for (const oid of missing) {
    culprits.set(oid, `the source is shallow: the parents of commit ${parents.get(oid)} are neither there nor here`)
  }
}
