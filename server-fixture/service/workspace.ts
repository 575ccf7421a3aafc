/**
 * The unit of work of one call or batch: a view of one repository in which new objects and, in an atomic batch, moved
 * refs are seen at once, and reach the store together.
 */
import type { RefMismatch } from '../../src/core/error.ts'
import { type ParsedCommit, parseCommit } from '../../src/git/commit.ts'
import { hashObject, type ObjectFormat, type ObjectKind } from '../../src/git/oid.ts'
import { encodeItems, inGitsOrder, type TreeItem } from '../../src/git/tree.ts'
import type { Limits } from '../../src/schema/default-limits.ts'
import type { NewRefEvent } from '../store/events.ts'
import type {
  DeflatedBlob,
  Head,
  KeyedRequest,
  NewObject,
  ObjectInfo,
  PageRequest,
  RefMove,
  RepositoryInfo,
  Store,
  StoredObject,
  StoredRef
} from '../store/store.ts'
import type { BranchQueues } from './branch-queue.ts'
import { type CallContext, throwIfAbandoned } from './context.ts'
import { HeldMoves } from './held-moves.ts'
import { KeptTrees } from './kept-trees.ts'
import { contentOf } from './object-content.ts'
import { defaultPageBounds, type PageBounds } from './pace.ts'
import { emptyTrees, ParsedTree } from './parsed-tree.ts'
import type { ReadCaches } from './read-caches.ts'
import { StoreReads } from './store-reads.ts'

type WorkspaceCaller = Pick<CallContext, 'signal' | 'deadlineMs' | 'requestId'>

/** The context of a workspace. */
export interface WorkspaceContext {
  readonly store: Store
  readonly repository: RepositoryInfo
  readonly limits: Limits
  /** The commits that wait for each branch. */
  readonly commits: BranchQueues
  readonly caches: ReadCaches
  /** @default defaultPageBounds */
  readonly pageBounds?: PageBounds | undefined
  /** Asked for its signal when that is needed, because a signal is made then. */
  readonly caller: WorkspaceCaller
}

/** The event of a call that makes these moves. */
export function eventOf(requestId: string, moves: readonly RefMove[]): NewRefEvent {
  return { requestId, moves: moves.map(({ name, expectedOid, newOid }) => ({ name, oldOid: expectedOid, newOid })) }
}

const noCommits: ReadonlySet<string> = new Set()

export class Workspace {
  readonly repository: RepositoryInfo
  readonly format: ObjectFormat
  readonly limits: Limits
  readonly store: Store
  readonly caller: WorkspaceCaller
  readonly commits: BranchQueues
  readonly caches: ReadCaches
  readonly pageBounds: PageBounds
  /** Ref moves are held back until `finish`, and happen together. */
  readonly atomic: boolean
  /** New objects of this work, in order; the first `#flushed` of them are stored. */
  readonly #staged: NewObject[] = []
  #flushed = 0
  /** Made when they are asked for, of as many as there are then; most work never asks for them. */
  #stagedByOid: Map<string, NewObject> | undefined
  #mapped = 0
  /** The last flush, while it is under way. */
  #flushing: Promise<void> | undefined
  /** Trees that edits read and make. */
  #trees: KeptTrees | undefined
  #stagedTrees: WeakMap<NewObject, ParsedTree> | undefined
  readonly #held: HeldMoves | undefined
  #storeReads: StoreReads | undefined
  #shallow: ReadonlySet<string> | undefined

  constructor(context: WorkspaceContext, atomic: boolean) {
    const { store, repository, limits, commits, caches, pageBounds = defaultPageBounds, caller } = context
    this.store = store
    this.caller = caller
    this.commits = commits
    this.pageBounds = pageBounds
    this.caches = caches
    this.repository = repository
    this.format = repository.objectFormat
    this.limits = limits
    this.atomic = atomic
    this.#held = atomic ? new HeldMoves(this.format) : undefined
  }

  /** Adds an object to this work; it is durable after `flush`. Returns its oid. */
  stage(kind: ObjectKind, content: Uint8Array): string {
    const object = { oid: hashObject(kind, content, this.format), kind, content }
    this.#staged.push(object)
    return object.oid
  }

  /** The objects that are staged now, for `unstage`. Only where nothing is flushed in between. */
  get stagedCount(): number {
    return this.#staged.length
  }

  /** Takes back all objects that were staged after `count`: the work that staged them has failed. */
  unstage(count: number): void {
    if (this.#staged.length === count) return
    this.#staged.length = count
    this.#stagedByOid = undefined
    this.#mapped = 0
  }

  #stagedObject(oid: string): NewObject | undefined {
    if (this.#mapped < this.#staged.length) {
      this.#stagedByOid ??= new Map()
      for (const object of this.#staged.slice(this.#mapped)) this.#stagedByOid.set(object.oid, object)
      this.#mapped = this.#staged.length
    }
    return this.#stagedByOid?.get(oid)
  }

  get #reads(): StoreReads {
    this.#storeReads ??= new StoreReads(this.store, this.repository.repository, this.limits.maxInlineBytes)
    return this.#storeReads
  }

  /** Kind and size of an object; undefined = missing. Concurrent questions go to the store together. */
  async info(oid: string): Promise<ObjectInfo | undefined> {
    const staged = this.#stagedObject(oid)
    if (staged) return { kind: staged.kind, size: staged.content.length }
    return this.#reads.info(oid)
  }

  /** An object; its content only up to `maxInlineBytes`. */
  async read(oid: string): Promise<StoredObject | undefined> {
    return this.#fromStaged(oid) ?? this.#reads.inline.load(oid)
  }

  /** A blob as the store has it, deflated; undefined = see `read`. */
  async readDeflated(oid: string): Promise<DeflatedBlob | undefined> {
    return this.#stagedObject(oid) ? undefined : this.#reads.deflated?.load(oid)
  }

  #fromStaged(oid: string): StoredObject | undefined {
    const staged = this.#stagedObject(oid)
    return staged && { kind: staged.kind, size: staged.content.length, content: staged.content }
  }

  /** The content of an object of this kind. @throws BlobwireError; see `contentOf` */
  async content(kind: ObjectKind, oid: string): Promise<Uint8Array> {
    // Walks through history or trees end here.
    this.throwIfAbandoned()
    return contentOf({ oid, kind, format: this.format }, this.#fromStaged(oid) ?? (await this.#reads.parsed.load(oid)))
  }

  /** A tree; the empty text stands for the empty tree. */
  async parsedTree(oid: string): Promise<ParsedTree> {
    this.throwIfAbandoned()
    if (oid === '') return emptyTrees[this.format]
    const staged = this.#stagedObject(oid)
    if (staged === undefined) return this.caches.trees.get(this.repository.repository, oid, () => this.#loadTree(oid))
    this.#stagedTrees ??= new WeakMap()
    const tree = this.#stagedTrees.get(staged) ?? (await this.#loadTree(oid))
    this.#stagedTrees.set(staged, tree)
    return tree
  }

  /** Others wait for it too, so that it does not end with this call. */
  async #loadTree(oid: string): Promise<ParsedTree> {
    const object = this.#fromStaged(oid) ?? (await this.#reads.parsed.load(oid))
    return new ParsedTree(contentOf({ oid, kind: 'tree', format: this.format }, object), this.format)
  }

  /** The entries of a tree, for an edit; the empty text stands for the empty tree. */
  async tree(oid: string): Promise<readonly TreeItem[]> {
    const kept = this.#trees?.get(oid)
    if (kept) return kept
    const items = (await this.parsedTree(oid)).items()
    if (oid !== '') this.#keep(oid, items)
    return items
  }

  /** Adds a tree to this work, or nothing where it is empty. Returns its oid; the empty text = no entries. */
  stageTree(items: readonly TreeItem[]): string {
    if (items.length === 0) return ''
    const oid = this.stage('tree', encodeItems(inGitsOrder(items), this.format))
    this.#keep(oid, items)
    return oid
  }

  #keep(oid: string, items: readonly TreeItem[]): void {
    this.#trees ??= new KeptTrees()
    this.#trees.add(oid, items)
  }

  /** A commit and its bytes. */
  async commit(oid: string): Promise<ParsedCommit & { raw: Uint8Array }> {
    const raw = await this.content('commit', oid)
    return { ...parseCommit(raw), raw }
  }

  /** The commits whose parents are left out, because the history ends there. */
  async shallowCommits(): Promise<ReadonlySet<string>> {
    this.#shallow ??= (await this.store.shallowCommits?.(this.repository.repository)) ?? noCommits
    return this.#shallow
  }

  /** The oids of refs, in order; undefined = no such ref. */
  async refs(names: readonly string[]): Promise<(string | undefined)[]> {
    const stored = await this.store.readRefs(this.repository.repository, names)
    return this.#held === undefined ? stored : this.#held.applyTo(names, stored)
  }

  /** HEAD, with held-back moves applied. */
  async head(): Promise<Head> {
    const head = await this.store.readHead(this.repository.repository)
    return this.#held === undefined ? head : this.#held.applyToHead(head)
  }

  /** A page of refs in byte order of their names, with held-back moves applied. */
  async listRefs(page: PageRequest): Promise<StoredRef[]> {
    const limit = page.limit + (this.#held?.size ?? 0)
    const stored = await this.store.listRefs(this.repository.repository, { ...page, limit })
    return this.#held === undefined ? stored : this.#held.applyToPage(page, stored)
  }

  /** Called before each effect. @throws BlobwireError where nobody waits for the answer any more */
  throwIfAbandoned(): void {
    throwIfAbandoned(this.caller)
  }

  /**
   * Moves refs, now or (atomic) at the end. Returns the refs that were not at their expected oid.
   *
   * @param remembered the keyed write to be remembered with the moves; atomic work has one key, for `finish`
   */
  async moveRefs(
    moves: readonly RefMove[],
    remembered?: { readonly request: KeyedRequest; readonly requestId: string }
  ): Promise<RefMismatch[]> {
    if (this.#held !== undefined) {
      return this.#held.add(moves, await this.refs(moves.map(({ name }) => name)))
    }
    await this.flush()
    this.throwIfAbandoned()
    const { request, requestId = this.caller.requestId } = remembered ?? {}
    const requests = request && [request]
    return this.store.updateRefs(this.repository.repository, moves, { requests, events: [eventOf(requestId, moves)] })
  }

  /** Stores staged objects; they are durable when it resolves, or at once where it returns no promise. */
  flush(): Promise<void> | undefined {
    if (this.#flushed === this.#staged.length) return this.#flushing
    // One after the other: a second flush stores what the first one does not.
    const next = this.#flushing ? this.#flushing.then(() => this.#flush()) : this.#flush()
    if (next === undefined) return undefined
    const settled = () => {
      if (this.#flushing === ignored) this.#flushing = undefined
    }
    const ignored: Promise<void> = next.then(settled, settled)
    this.#flushing = ignored
    return next
  }

  #flush(): Promise<void> | undefined {
    const { length } = this.#staged
    if (this.#flushed === length) return undefined
    const objects = this.#flushed === 0 ? this.#staged : this.#staged.slice(this.#flushed)
    const stored = this.store.putObjects(this.repository.repository, objects)
    if (stored === undefined) {
      this.#flushed = length
      return undefined
    }
    // Only when they are stored: the next flush retries objects that could not be.
    return stored.then(() => {
      this.#flushed = length
    })
  }

  /**
   * Stores staged objects and, in atomic work, moves the refs. Returns the mismatches of refs.
   *
   * @param remembered the keyed write that this work is, to be remembered with its moves or, without moves, alone
   */
  async finish(remembered?: (moves: readonly RefMove[]) => KeyedRequest): Promise<RefMismatch[]> {
    await this.flush()
    const { repository } = this.repository
    const moves = this.#held?.all() ?? []
    const requests = remembered ? [remembered(moves)] : []
    if (moves.length > 0) {
      this.throwIfAbandoned()
      return this.store.updateRefs(repository, moves, { requests, events: [eventOf(this.caller.requestId, moves)] })
    }
    if (requests.length > 0) await this.store.remember(repository, requests)
    return []
  }
}
