/** Copies a local Git repository, with all history and every ref, into a repository of the service. */
import { BlobwireError, type Limits, type Repository } from '../../src/index.ts'
import { ObjectReader } from './object-reader.ts'
import { type LeftOutRef, makePlan, type Plan, type Target } from './plan.ts'
import { apiName, nameOf } from './ref-name.ts'
import { type Refusals, sendObjects } from './send-objects.ts'
import { openSource, type Source } from './source.ts'
import { changesOf, updateRefs } from './update-refs.ts'

/** A repository of which the source cannot have a copy. */
export class MirrorError extends Error {}

/** How far a run is. */
export interface Progress {
  /** Objects that the server has taken, of all that it lacked. */
  readonly objects: number
  readonly totalObjects: number
  /** Bytes of their contents. */
  readonly bytes: number
  /** Refs that were moved, created or deleted. */
  readonly refs: number
  readonly totalRefs: number
}

/** The input of `mirror`. */
export interface MirrorOptions {
  /** Directory of a local repository, bare or not. */
  readonly source: string
  /** Where it goes; created where it does not exist. */
  readonly repo: Repository
  /**
   * The limits of the server, as `getCapabilities` tells them.
   * @default blobs of 1 MiB, requests of 4 MiB
   */
  readonly limits?: Pick<Limits, 'maxInlineBytes' | 'maxBatchBytes'> | undefined
  /**
   * Whether refs that the source does not have are deleted.
   * @default false
   */
  readonly prune?: boolean | undefined
  /**
   * Whether nothing is sent where a ref cannot be copied.
   * @default false: all others are copied
   */
  readonly strict?: boolean | undefined
  /** Called before anything is sent. */
  readonly onPlan?: ((plan: Plan) => void) | undefined
  /** Called after each answer of the server. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** The outcome of `mirror`. */
export interface MirrorResult extends Progress {
  readonly source: Source
  /** Refs that are not as in the source, each with the reason. They are where they were before. */
  readonly leftOut: readonly LeftOutRef[]
}

/**
 * Makes the repository equal to the source. Only what the server lacks is sent; refs move when all objects are there, so
 * that a run that ends early leaves every ref as it was, and the next one goes on.
 * @throws GitError for a source that git cannot read
 * @throws MirrorError where the repository has the other object format
 * @throws BlobwireError `aborted`, reason `ref_mismatch`, where somebody else moves its refs at the same time
 */
export async function mirror(options: MirrorOptions): Promise<MirrorResult> {
  const { repo, prune = false, strict = false, onPlan, onProgress } = options
  const source = await openSource(options.source)
  const target = await openTarget(source, options)
  const plan = await makePlan(source, target)
  const kept = new Set(plan.leftOut.map(({ name }) => name))
  const changes = changesOf(plan.refs, target.refs, { prune, kept })
  const totals = {
    totalObjects: countOf(plan.objects),
    totalRefs: changes.deletions.length + changes.moves.length
  }
  let progress = { objects: 0, bytes: 0, refs: 0, ...totals }
  const onward = (more: Partial<Progress>) => {
    progress = { ...progress, ...more }
    onProgress?.(progress)
  }
  onPlan?.(plan)
  if (strict && plan.leftOut.length > 0) return { ...progress, source, leftOut: plan.leftOut }
  const defaultBranch = branchOfHead(source, plan.leftOut)
  if (target.defaultBranch === undefined) {
    await repo.createRepository({ objectFormat: source.objectFormat, defaultBranch })
  }
  const refusals = await send(source, { repo, plan, total: totals.totalObjects }, (sent, bytes) =>
    onward({ objects: progress.objects + sent, bytes: progress.bytes + bytes })
  )
  const refused = await updateRefs(repo, changes, (count) => onward({ refs: progress.refs + count }))
  const leftOut = [...plan.leftOut, ...refused.map((ref) => explain(ref, refusals))]
  // A new repository was made with it.
  if (defaultBranch !== (target.defaultBranch ?? defaultBranch) && branchOfHead(source, leftOut) !== undefined) {
    await repo.updateRepository({ defaultBranch: defaultBranch as string })
  }
  return { ...progress, source, leftOut }
}

const defaultLimits = { maxInlineBytes: 1024 * 1024, maxBatchBytes: 4 * 1024 * 1024 }

async function openTarget(source: Source, { repo, limits = defaultLimits }: MirrorOptions): Promise<Target> {
  // In JSON, contents grow by a third; a request has a frame, too.
  const other = Math.floor(((limits.maxBatchBytes - 4096) * 3) / 4)
  const target = { repo, limits: { blob: limits.maxInlineBytes, other } }
  const refs = new Map<string, string>()
  const info = await repo.getRepository().catch((error) => {
    if (error instanceof BlobwireError && error.is('repository')) return undefined
    throw error
  })
  if (info === undefined) return { ...target, refs, defaultBranch: undefined }
  if (info.objectFormat !== source.objectFormat) {
    throw new MirrorError(`the source has ${source.objectFormat}, and repository ${repo.name} has ${info.objectFormat}`)
  }
  for await (const { name, rawName, oid } of repo.refs({ pageSize: 1000 })) refs.set(nameOf(rawName ?? name), oid)
  return { ...target, refs, defaultBranch: info.defaultBranch }
}

function countOf({ blob, tree, commit, tag }: Plan['objects']): number {
  return blob.length + tree.oids.length + commit.oids.length + tag.oids.length
}

interface Sent {
  readonly repo: Repository
  readonly plan: Plan
  readonly total: number
}

async function send(
  { directory }: Source,
  { repo, plan, total }: Sent,
  onSent: (objects: number, bytes: number) => void
): Promise<Refusals> {
  if (total === 0) return new Map()
  const reader = new ObjectReader(directory)
  try {
    return await sendObjects(plan.objects, { reader, repo, onSent })
  } finally {
    await reader.close()
  }
}

/** A ref that is refused because of an object which the server refused tells about that object. */
function explain(ref: LeftOutRef, refusals: Refusals): LeftOutRef {
  const [first] = refusals
  if (first === undefined) return ref
  return { ...ref, reason: `${ref.reason}; the server refuses ${first[0]}: ${first[1].message}` }
}

/** The branch that HEAD is to name: undefined = as on the server. */
function branchOfHead({ head }: Source, leftOut: readonly LeftOutRef[]): string | undefined {
  if (!('branch' in head) || !head.branch.startsWith('refs/heads/')) return undefined
  const branch = apiName(head.branch)
  // A default branch has a name that is text.
  if (typeof branch !== 'string' || leftOut.some(({ name }) => name === branch)) return undefined
  return branch
}
