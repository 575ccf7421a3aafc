/** The server has done the work, and the connection breaks before its answer: tried again, the effect is there once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client, OperationResult, Repository } from '../../src/index.ts'
import type { TcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { faultyNetwork, transports } from '../support/faulty-network.ts'

const author = { name: 'A U Thor', email: 'author@example.com', timeSeconds: 1_700_000_000 }
const zero = '0'.repeat(40)

/** Before each case: something to work on. */
interface Harness {
  readonly client: Client
  readonly repo: Repository
  readonly blob: string
  readonly tree: string
  /** The one commit on `main`. */
  readonly head: string
}

interface Case {
  act(harness: Harness): Promise<unknown>
  /** Checks that the effect is there once. */
  check(harness: Harness, answer: unknown): Promise<void>
}

const oidOf = (answer: unknown) => (answer as { oid: string }).oid
const isThere = async ({ repo }: Harness, answer: unknown) =>
  assert.deepEqual(await repo.findMissing([oidOf(answer)]), { missing: [] })
const log = async ({ repo }: Harness, revision = 'main') => (await repo.listCommits({ revision })).commits.map(oidOf)

const cases: Readonly<Record<string, Case>> = {
  CreateRepository: {
    act: ({ client }) => client.createRepository('new'),
    async check({ client }) {
      const names = (await client.listRepositories()).repositories.map(({ repository }) => repository)
      assert.deepEqual(names, ['demo', 'new'])
    }
  },
  DeleteRepository: {
    act: ({ client }) => client.deleteRepository('demo'),
    async check({ client }) {
      await assert.rejects(client.getRepository('demo'), { code: 'not_found' })
    }
  },
  StoreBlob: { act: ({ repo }) => repo.storeBlob('new'), check: isThere },
  StoreTree: {
    act: ({ repo, blob }) => repo.storeTree([{ path: 'new', mode: '100644', oid: blob }]),
    check: isThere
  },
  StoreCommit: { act: ({ repo, tree }) => repo.storeCommit({ tree, author, message: 'new' }), check: isThere },
  CommitFiles: {
    act: ({ repo }) => repo.commitFiles({ branch: 'main', changes: { 'b.txt': 'b' }, message: 'second', author }),
    async check(harness, answer) {
      assert.deepEqual(await log(harness), [oidOf((answer as { commit: unknown }).commit ?? answer), harness.head])
    }
  },
  UpdateRefs: {
    act: ({ repo, head }) => repo.updateRefs([{ name: 'refs/heads/next', expectedOid: zero, newOid: head }]),
    async check({ repo, head }) {
      const { refs } = await repo.listRefs({ prefix: 'refs/heads/next' })
      assert.deepEqual(refs.map(oidOf), [head])
    }
  },
  BatchOperations: {
    act: ({ repo, head }) =>
      repo.batch([
        { storeBlob: { content: 'in a batch' } },
        { updateRefs: { updates: [{ name: 'refs/heads/batch', expectedOid: zero, newOid: head }] } }
      ]),
    async check(harness, answer) {
      const [stored, moved] = answer as OperationResult[]
      assert.equal(moved?.error, undefined)
      await isThere(harness, stored?.value)
      assert.deepEqual(await log(harness, 'batch'), [harness.head])
    }
  },
  GetBlob: {
    act: ({ repo, blob }) => repo.getBlob({ oid: blob }),
    check: async ({ blob }, answer) => assert.equal(oidOf(answer), blob)
  },
  ListCommits: {
    act: (harness) => log(harness),
    check: async ({ head }, answer) => assert.deepEqual(answer, [head])
  }
}

/** Breaks the one connection as soon as the server begins to answer; later connections work. */
async function loseNextAnswer(proxy: TcpProxy): Promise<void> {
  proxy.setToClient({ resetAfterBytes: proxy.bytesToClient })
  while (proxy.open > 0) await new Promise((resolve) => setImmediate(resolve))
  proxy.setToClient({ resetAfterBytes: Number.POSITIVE_INFINITY })
}

for (const transport of transports) {
  for (const batch of [{}, false] as const) {
    for (const [name, { act, check }] of Object.entries(cases)) {
      test(`${name}, ${transport}, ${batch ? 'on a session' : 'as a request'}: once`, async (context) => {
        const { proxy, client: connect } = await faultyNetwork(context, transport)
        const client = connect({ batch, retry: { baseMs: 5 }, timeoutMs: 10_000 })
        const repo = client.repository('demo')
        const { oid: blob } = await repo.storeBlob('a')
        const { oid: tree } = await repo.storeTree([{ path: 'a.txt', mode: '100644', oid: blob }])
        const { oid: head } = await repo.storeCommit({ tree, author, message: 'first' })
        await repo.updateRefs([{ name: 'refs/heads/main', expectedOid: zero, newOid: head }])
        await client.getCapabilities()
        const harness: Harness = { client, repo, blob, tree, head }
        assert.equal(proxy.connections, 1)
        const before = client.stats()
        const [answer] = await Promise.all([act(harness), loseNextAnswer(proxy)])
        const after = client.stats()
        assert.ok(after.retries + after.resent > before.retries + before.resent, 'it was sent again')
        await check(harness, answer)
      })
    }
  }
}

for (const transport of transports) {
  for (const batch of [{}, false] as const) {
    test(`${transport}, ${batch ? 'on a session' : 'as a request'}: an error counts the attempt before the last one as well`, async (context) => {
      const { proxy, client: connect } = await faultyNetwork(context, transport)
      const repo = connect({ batch, retry: { baseMs: 5 }, timeoutMs: 10_000 }).repository('demo')
      await repo.storeBlob('a')
      const missing = repo.getBlob({ oid: 'f'.repeat(40) })
      await Promise.all([
        assert.rejects(missing, { code: 'not_found', sent: 'processed', attempts: 2 }),
        loseNextAnswer(proxy)
      ])
    })
  }
}
