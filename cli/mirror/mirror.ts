/** Copies a local Git repository, with all history and every ref, into a repository of the service. */
import { BlobwireError, type Limits, type Repository, type TransferProgress } from '../../src/index.ts'
import { CommandError } from '../errors.ts'
import { streamBlob } from './git.ts'
import { ObjectReader } from './object-reader.ts'
import { type LeftOutRef, makePlan, type Plan, type Target } from './plan.ts'
import { apiName, nameOf } from './ref-name.ts'
import { type Refusals, sendObjects } from './send-objects.ts'
import { openSource, type Source } from './source.ts'
import { changesOf, updateRefs } from './update-refs.ts'

/** A repository of which the source cannot have a copy. */
class MirrorError extends CommandError {}

/** How far a run is, in the form of the client's own transfers: `files` are objects, of all that the server lacked. */
export interface Progress extends TransferProgress {
  /** `upload` = objects, `commit` = refs. */
  phase: 'upload' | 'commit'
  /** Refs that were moved, created or deleted. */
  refs: number
  totalRefs: number
}

/** The input of `mirror`. */
export interface MirrorOptions {
  /** Directory of a local repository, bare or not. */
  readonly source: string
  /** Where it goes; created where it does not exist. */
  readonly repo: Repository
  /**
   * The limits of the server, as `getCapabilities` tells them.
   * @default blobs of 1 MiB in messages and of 5 GiB in streams, requests of 4 MiB
   */
  readonly limits?: Pick<Limits, 'maxInlineBytes' | 'maxBlobBytes' | 'maxBatchBytes'> | undefined
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
  let progress: Progress = {
    phase: 'upload',
    files: 0,
    totalFiles: countOf(plan.objects),
    transferredBytes: 0,
    totalBytes: plan.bytes,
    bytesPerSecond: 0,
    refs: 0,
    totalRefs: changes.deletions.length + changes.moves.length
  }
  const begunMs = performance.now()
  const onward = (more: Partial<Progress>) => {
    progress = { ...progress, ...more }
    const seconds = (performance.now() - begunMs) / 1000
    if (progress.phase === 'upload') progress.bytesPerSecond = Math.round(progress.transferredBytes / seconds)
    onProgress?.(progress)
  }
  onPlan?.(plan)
  if (strict && plan.leftOut.length > 0) return { ...progress, source, leftOut: plan.leftOut }
  const defaultBranch = branchOfHead(source, plan.leftOut)
  if (target.defaultBranch === undefined) {
    await repo.createRepository({ objectFormat: source.objectFormat, defaultBranch })
  }
  const refusals = await send(source, { repo, plan, total: progress.totalFiles }, (sent, bytes) =>
    onward({ files: progress.files + sent, transferredBytes: progress.transferredBytes + bytes })
  )
  const refused = await updateRefs(repo, changes, (count) => onward({ phase: 'commit', refs: progress.refs + count }))
  const leftOut = [...plan.leftOut, ...refused.map((ref) => explain(ref, refusals))]
  // A new repository was made with it.
  if (defaultBranch !== (target.defaultBranch ?? defaultBranch) && branchOfHead(source, leftOut) !== undefined) {
    await repo.updateRepository({ defaultBranch: defaultBranch as string })
  }
  return { ...progress, source, leftOut }
}

const mebibyte = 1024 * 1024
const defaultLimits = { maxInlineBytes: mebibyte, maxBlobBytes: 5 * 1024 * mebibyte, maxBatchBytes: 4 * mebibyte }

async function openTarget(source: Source, { repo, limits = defaultLimits }: MirrorOptions): Promise<Target> {
  // In JSON, contents grow by a third; a request has a frame, too.
  const other = Math.floor(((limits.maxBatchBytes - 4096) * 3) / 4)
  const target = { repo, limits: { blob: limits.maxBlobBytes, inlineBlob: limits.maxInlineBytes, other } }
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

function countOf({ blob, streamed, tree, commit, tag }: Plan['objects']): number {
  return blob.length + streamed.size + tree.oids.length + commit.oids.length + tag.oids.length
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
    return await sendObjects(plan.objects, { reader, repo, onSent, stream: (oid) => streamBlob(directory, oid) })
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
