/** A service over a store of each kind, called without a network. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Service, type ServiceOptions } from '../../server-fixture/service/service.ts'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import type { Messages } from '../../src/schema/messages.ts'

/** The repository of the calls. */
export const repository = 'demo'

type Method = {
  [Name in keyof Messages]: Name extends `${infer Base}Request`
    ? `${Base}Response` extends keyof Messages
      ? Base
      : never
    : never
}[keyof Messages]

/** Calls a method of the service, for a repository that everyone may use. Fields without a value are empty. */
export type Call = <Name extends Method>(
  method: Name,
  request: Partial<Messages[`${Name}Request`]>,
  signal?: AbortSignal
) => Promise<Messages[`${Name}Response`]>

const defaults = {
  GetTree: { revision: '', path: '', recursive: false, pageSize: 0, pageToken: '' },
  ListCommits: { revision: '', path: '', pageSize: 0, pageToken: '' },
  Compare: { base: '', head: '', pageSize: 0, pageToken: '' },
  ListRefs: { prefix: '', pageSize: 0, pageToken: '' },
  ListRepositories: { prefix: '', pageSize: 0, pageToken: '' },
  CreateRepository: { objectFormat: '' },
  StoreTree: { baseTree: '' },
  GetBlob: { oid: '', revision: '', path: '' }
} as Record<string, object>

/** Another server on the same store. */
export function serverOn(store: Store, options: Partial<ServiceOptions> = {}): Call {
  const service = new Service(store, {
    serverVersion: '0',
    onInternalError: (error) => assert.fail(String((error as Error).stack)),
    ...options
  })
  const unending = new AbortController().signal
  const call = (method: string, request: object, signal = unending) => {
    const context = { principal: { may: () => true }, signal, requestId: 'test' }
    return service.call(method, { repository, ...defaults[method], ...request }, context)
  }
  return call as unknown as Call
}

/** A store of one kind; `reopen` = what a restart finds. */
export interface OpenStore {
  readonly store: Store
  reopen(): Promise<Store>
  /** Git's own view of the repository; only for the Git store. */
  git(...args: string[]): string
}

/** Opens a store that is gone when the test has ended. */
export async function openStore(context: TestContext, kind: 'memory' | 'git'): Promise<OpenStore> {
  if (kind === 'memory') {
    const store = new MemoryStore()
    return { store, reopen: async () => store, git: () => assert.fail('a memory store has no git') }
  }
  const data = await mkdtemp(join(tmpdir(), 'blobwire-listings-'))
  let store = await GitStore.open(data)
  context.after(async () => {
    await store.close()
    await rm(data, { recursive: true, force: true })
  })
  return {
    store,
    async reopen() {
      await store.close()
      store = await GitStore.open(data)
      return store
    },
    git: (...args) => {
      const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }
      return execFileSync('git', args, { cwd: join(data, `${repository}.git`), env, encoding: 'utf8' })
    }
  }
}
