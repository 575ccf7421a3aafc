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
  MoveRecords,
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
import type { WriteKey } from './request-keys.ts'
import { StagedObjects } from './staged-objects.ts'
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
  /** New objects of this work. */
  readonly #staged = new StagedObjects()
  /** Trees that edits read and make. */
  #trees: KeptTrees | undefined
  #stagedTrees: WeakMap<NewObject, ParsedTree> | undefined
  readonly #held: HeldMoves | undefined
  /** Refs that atomic work has asked for at its beginning. */
  #known: ReadonlyMap<string, string | undefined> | undefined
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
    this.#staged.add(object)
    return object.oid
  }

  /** The objects that are staged now, for `unstage`. Only where nothing is flushed in between. */
  get stagedCount(): number {
    return this.#staged.count
  }

  /** Takes back all objects that were staged after `count`: the work that staged them has failed. */
  unstage(count: number): void {
    this.#staged.truncate(count)
  }

  get #reads(): StoreReads {
    this.#storeReads ??= new StoreReads(this.store, this.repository.repository, this.limits.maxInlineBytes)
    return this.#storeReads
  }

  /** Kind and size of an object; undefined = missing. Concurrent questions go to the store together. */
  async info(oid: string): Promise<ObjectInfo | undefined> {
    const staged = this.#staged.get(oid)
    if (staged) return { kind: staged.kind, size: staged.content.length }
    return this.#reads.info(oid)
  }

  /** An object; its content only up to `maxInlineBytes`. */
  async read(oid: string): Promise<StoredObject | undefined> {
    return this.#fromStaged(oid) ?? this.#reads.inline.load(oid)
  }

  /** A blob as the store has it, deflated; undefined = see `read`. */
  async readDeflated(oid: string): Promise<DeflatedBlob | undefined> {
    return this.#staged.get(oid) ? undefined : this.#reads.deflated?.load(oid)
  }

  #fromStaged(oid: string): StoredObject | undefined {
    const staged = this.#staged.get(oid)
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
    const staged = this.#staged.get(oid)
    if (staged === undefined) return this.caches.trees.get(this.repository, oid, () => this.#loadTree(oid))
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

  /** The tree of a commit that is the head of a branch. */
  async treeOfHead(oid: string): Promise<string> {
    const { heads } = this.caches
    const kept = this.#staged.get(oid) ? undefined : heads.get(this.repository, oid)
    if (kept !== undefined) return kept
    const { tree } = await this.commit(oid)
    if (!this.#staged.get(oid)) heads.add(this.repository, oid, tree)
    return tree
  }

  /** Keeps the commit and the trees that this work has made, and the store has stored, for the next commit on top of it. */
  async keepHead(commit: string, tree: string): Promise<void> {
    this.caches.heads.add(this.repository, commit, tree)
    await this.#keepTrees(tree)
  }

  async #keepTrees(oid: string): Promise<void> {
    if (!this.#staged.get(oid)) return
    this.caches.trees.add(this.repository, oid, await this.parsedTree(oid))
    for (const item of await this.tree(oid)) if (item.mode === '040000') await this.#keepTrees(item.oid)
  }

  /** The commits whose parents are left out, because the history ends there. */
  async shallowCommits(): Promise<ReadonlySet<string>> {
    this.#shallow ??= (await this.store.shallowCommits?.(this.repository.repository)) ?? noCommits
    return this.#shallow
  }

  /** The oids of refs, in order; undefined = no such ref. */
  async refs(names: readonly string[]): Promise<(string | undefined)[]> {
    const known = this.#known
    const stored = names.every((name) => known?.has(name))
      ? names.map((name) => known?.get(name))
      : await this.store.readRefs(this.repository.repository, names)
    return this.#held === undefined ? stored : this.#held.applyTo(names, stored)
  }

  /** Takes the oids of refs, in order, as they were at the beginning of this work, which moves them by compare-and-swap. */
  know(names: readonly string[], oids: readonly (string | undefined)[]): void {
    this.#known = new Map(names.map((name, index) => [name, oids[index]]))
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
   * @param remembered the keyed write to be remembered with the moves, and what its caller calls before them; atomic work
   *   has one key, for `finish`
   */
  async moveRefs(
    moves: readonly RefMove[],
    remembered?: { readonly request: KeyedRequest } & Pick<WriteKey, 'requestId' | 'throwIfAbandoned'>
  ): Promise<RefMismatch[]> {
    if (this.#held !== undefined) {
      return this.#held.add(moves, await this.refs(moves.map(({ name }) => name)))
    }
    const { request, requestId = this.caller.requestId } = remembered ?? {}
    const throwIfAbandoned = () => {
      this.throwIfAbandoned()
      remembered?.throwIfAbandoned?.()
    }
    return this.move(moves, { requests: request && [request], events: [eventOf(requestId, moves)], throwIfAbandoned })
  }

  /** Stores staged objects and moves refs, in one question to the store. Returns the mismatches of refs. */
  async move(moves: readonly RefMove[], records: MoveRecords): Promise<RefMismatch[]> {
    return this.#staged.storeWith((objects) => {
      records.throwIfAbandoned?.()
      const { repository, incarnation } = this.repository
      return this.store.updateRefs(repository, moves, { ...records, objects, incarnation })
    })
  }

  /** Stores staged objects; they are durable when it resolves, or at once where it returns no promise. */
  flush(): Promise<void> | undefined {
    return this.#staged.flush(this.store, this.repository)
  }

  /**
   * Stores staged objects and, in atomic work, moves the refs. Returns the mismatches of refs.
   *
   * @param remembered the keyed write that this work is, to be remembered with its moves or, without moves, alone
   */
  async finish(remembered?: (moves: readonly RefMove[]) => KeyedRequest): Promise<RefMismatch[]> {
    const moves = this.#held?.all() ?? []
    const requests = remembered ? [remembered(moves)] : []
    if (moves.length > 0) {
      const events = [eventOf(this.caller.requestId, moves)]
      return this.move(moves, { requests, events, throwIfAbandoned: () => this.throwIfAbandoned() })
    }
    await this.flush()
    if (requests.length > 0) await this.store.remember(this.repository.repository, requests)
    return []
  }
}
