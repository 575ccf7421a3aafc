/** A service over either store, whose store counts writes and can be held up, for tests of commits on one branch. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { hashObject } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { openGitStore } from '../store/support.ts'

export const repository = 'demo'
export const ref = 'refs/heads/main'
export const author = { name: 'A', email: 'a@b', timeSeconds: 1_700_000_000, zone: '+0000' }
export const zero = '0'.repeat(40)
export const storeKinds = ['memory', 'git'] as const

export type Change = Partial<Messages['FileChange']> & { path: string }
export type Outcome = Messages['CommitFilesResponse']
type Put = Parameters<Store['putObjects']>
type Update = Parameters<Store['updateRefs']>

export const blobOid = (text: string) => hashObject('blob', Buffer.from(text), 'sha1')
export const put = (path: string, text = path): Change => ({ path, content: Buffer.from(text) })

/** What the service asked the store for, and what happens just before. */
export class Watch {
  puts: Put[] = []
  updates: Update[] = []
  beforePut: (() => Promise<unknown> | unknown) | undefined
  beforeUpdate: (() => Promise<unknown> | unknown) | undefined

  beforeGet: (() => Promise<unknown> | unknown) | undefined

  /** The same store, watched. */
  watched(store: Store): Store {
    const putObjects = async (...args: Put) => {
      this.puts.push(args)
      await this.beforePut?.()
      return store.putObjects(...args)
    }
    const updateRefs = async (...[name, moves, { objects = [], ...records } = {}]: Update) => {
      // One after the other, so that a test can come in between.
      if (objects.length > 0) await putObjects(name, objects)
      records.throwIfAbandoned?.()
      this.updates.push([name, moves, records])
      await this.beforeUpdate?.()
      return store.updateRefs(name, moves, records)
    }
    const getRepository = async (name: string) => {
      await this.beforeGet?.()
      return store.getRepository(name)
    }
    const own: Partial<Store> = { putObjects, updateRefs, getRepository }
    return new Proxy(store, {
      get(target, name) {
        const value: unknown = Object.hasOwn(own, name) ? own[name as keyof Store] : Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      }
    })
  }
}

export interface Committing {
  readonly expectedHead?: string
  readonly message?: string
  readonly signal?: AbortSignal
  readonly author?: Partial<Messages['NewSignature']>
  readonly baseTree?: string
  readonly branch?: string
}

/** A repository in a service over this kind of store. */
export async function setUp(test: TestContext, kind: (typeof storeKinds)[number]) {
  const git = kind === 'git' ? await openGitStore(test) : undefined
  const store: Store = git?.store ?? new MemoryStore()
  const watch = new Watch()
  const onInternalError = (error: unknown) => assert.fail(String(error))
  const service = new Service(watch.watched(store), { serverVersion: '0', onInternalError })
  const call = (method: string, request: object, signal = new AbortController().signal) =>
    service.call(method, { repository, ...request }, { principal: { may: () => true }, signal, requestId: 'test' })
  await call('CreateRepository', { objectFormat: '' })
  // Opens it: the first calls would not come to the queue together.
  await store.readRefs(repository, [ref])
  const commitRequest = (changes: Change[], options: Committing = {}) => {
    const { expectedHead = '', message = 'm', baseTree = '', branch = 'main' } = options
    const list = changes.map((change) => ({ mode: '', ...change }))
    const fields = { branch, expectedHead, author: options.author ?? author, message, baseTree, changes: list }
    return { ...fields, inputDigest: '', prepare: false, commitObject: new Uint8Array(0) }
  }
  const commit = (changes: Change[], options: Committing = {}) =>
    call('CommitFiles', commitRequest(changes, options), options.signal) as Promise<Outcome>
  const files = async (revision = 'main') => {
    const paging = { pageSize: 10_000, pageToken: '' }
    const answer = await call('GetTree', { revision, path: '', recursive: true, ...paging })
    return (answer as Messages['GetTreeResponse']).entries
      .filter(({ mode }) => mode !== '040000')
      .map(({ path }) => path)
  }
  const history = async () => {
    const answer = await call('ListCommits', { revision: 'main', path: '', pageSize: 1000, pageToken: '' })
    return (answer as Messages['ListCommitsResponse']).commits.toReversed()
  }
  const head = async () => (await store.readRefs(repository, [ref]))[0] ?? zero
  return { service, store, watch, call, commit, commitRequest, files, history, head, gitDirectory: git?.directory }
}
