/** Each kind of write that a Git store makes, as calls of a service, and what is to be seen of it afterwards. */
import assert from 'node:assert/strict'
import { Service } from '../../server-fixture/service/service.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { hashObject } from '../../src/git/oid.ts'
import type { Init } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'

export const zero = '0'.repeat(40)
const author = { name: 'A', email: 'a@example.com', timeSeconds: 1_700_000_000, zone: '+0000' }
const bytes = (text: string) => new TextEncoder().encode(text)
const file = (path: string) => ({ path, content: bytes(`content of ${path}`) })
export const blobOf = (path: string) => hashObject('blob', bytes(`content of ${path}`), 'sha1')

/** A service on the store, with complete messages made from parts of them. */
export function serviceOn(store: Store) {
  const onInternalError = (error: unknown) => assert.fail(error as Error)
  const service = new Service(store, { serverVersion: '0', onInternalError })
  const caller = { principal: { may: () => true }, signal: new AbortController().signal, requestId: 'test' }
  async function call(method: string, request: object): Promise<object> {
    const type = `${method}Request` as 'ApplyRequest'
    return service.call(
      method,
      jsonCodec.decode(type, jsonCodec.encode(type, request as Init<Messages[typeof type]>)),
      caller
    )
  }
  return { call }
}

type Call = ReturnType<typeof serviceOn>['call']

const main = 'refs/heads/main'
const commitOf = (path: string) => ({ branch: 'main', author, message: `adds ${path}`, changes: [file(path)] })

/** The repository `demo` with two refs at one commit, whose oid is returned. */
export async function prepare(call: Call): Promise<string> {
  await call('CreateRepository', { repository: 'demo' })
  const { oid } = (await call('CommitFiles', { repository: 'demo', ...commitOf('first') })) as { oid: string }
  await call('UpdateRefs', {
    repository: 'demo',
    updates: [{ name: 'refs/heads/old', expectedOid: zero, newOid: oid }]
  })
  return oid
}

/** One kind of write. */
export interface Write {
  readonly name: string
  readonly method: string
  /** `head` is the commit of `prepare`. A write with a key is an Apply. */
  request(head: string): object
  /** The state as it is after the write, once, and before it: they have to differ. */
  look(call: Call): Promise<unknown>
}

const refsOf = async (call: Call) => {
  const { refs } = (await call('ListRefs', { repository: 'demo' })) as Messages['ListRefsResponse']
  return refs.map(({ name, oid }) => `${name} ${oid}`)
}
export const repositoriesOf = async (call: Call) => {
  const { repositories } = (await call('ListRepositories', {})) as Messages['ListRepositoriesResponse']
  return repositories.map(({ repository }) => repository)
}
const isThere = async (call: Call, path: string) => {
  const answer = await call('FindMissing', { repository: 'demo', oids: [blobOf(path)] })
  return (answer as Messages['FindMissingResponse']).missing.length === 0
}
const historyOf = async (call: Call) => {
  const answer = await call('ListCommits', { repository: 'demo', revision: 'main' })
  return (answer as Messages['ListCommitsResponse']).commits.map(({ message }) => message)
}
const keyed = (key: string, write: object) => ({ repository: 'demo', requestKey: key, ...write })
const to = (name: string, expectedOid: string, newOid: string) => ({ name, expectedOid, newOid })

export const writes: readonly Write[] = [
  {
    name: 'objects',
    method: 'StoreBlob',
    request: () => ({ repository: 'demo', content: file('objects').content }),
    look: (call) => isThere(call, 'objects')
  },
  {
    name: 'commit',
    method: 'Apply',
    request: () => keyed('commit', { commitFiles: commitOf('dir/second') }),
    look: historyOf
  },
  {
    name: 'refs',
    method: 'Apply',
    request: (head) => {
      const created = [to('refs/heads/team/deep/one', zero, head), to('refs/tags/v1', zero, head)]
      return keyed('refs', { updateRefs: { updates: [...created, to('refs/heads/old', head, zero)] } })
    },
    look: refsOf
  },
  {
    name: 'batch',
    method: 'Apply',
    request: (head) => {
      const move = { updateRefs: { updates: [to('refs/heads/batched', zero, head)] } }
      const blob = { storeBlob: { content: file('batch').content } }
      return keyed('batch', { batch: { atomic: true, operations: [blob, move] } })
    },
    look: async (call) => ({
      moved: (await refsOf(call)).filter((ref) => ref.includes('batched'))
    })
  },
  {
    name: 'move without a key',
    method: 'UpdateRefs',
    request: (head) => ({ repository: 'demo', updates: [to('refs/heads/plain', zero, head)] }),
    look: refsOf
  },
  {
    name: 'creation',
    method: 'Apply',
    request: () => ({
      repository: 'team/deep/made',
      requestKey: 'creation',
      createRepository: { objectFormat: 'sha1' }
    }),
    look: repositoriesOf
  },
  {
    name: 'default branch',
    method: 'Apply',
    request: () => keyed('head', { updateRepository: { defaultBranch: 'trunk' } }),
    look: async (call) => {
      const { defaultBranch } = (await call('GetRepository', {
        repository: 'demo'
      })) as Messages['GetRepositoryResponse']
      return defaultBranch
    }
  },
  {
    name: 'deletion',
    method: 'Apply',
    request: () => keyed('deletion', { deleteRepository: {} }),
    look: repositoriesOf
  }
]

/** A write that is refused for good: it has no effect but its key. */
export const refusal = keyed('refused', { updateRefs: { updates: [to(main, zero, 'ab'.repeat(20))] } })

/** Names and bytes that nobody misses: locks, and files and directories that have no part in any state. */
export const isMissed = (path: string) =>
  !/^server\.lock|\.lock$|^~[0-9a-f]{16}(\/|$)|\/blobwire-incoming-|\/objects\/pack\/\.?tmp[-_]/.test(path)
