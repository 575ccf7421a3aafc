/** The caller's line is in the stack of every error that a call rejects with, whoever caused it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { BlobwireError, type Client, type ClientOptions, createClient, type Repository } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { ownPorts } from '../support/ports.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'

const absent = '1'.repeat(40)
const author = { name: 'Ada', email: 'ada@example.org' }
const here = new URL(import.meta.url).pathname.split('/').at(-1) as string

/** A call that fails: what is said of it, and the call, whose caller is the function here. */
type Failing = readonly [what: string, call: (repo: Repository, client: Client) => Promise<unknown>]

const failing: readonly Failing[] = [
  ['getBlob', async (repo) => await repo.getBlob(absent)],
  ['getBlob', async (_repo, client) => await client.getBlob('demo', absent)],
  ['getBlob', async (repo) => await Promise.all([repo.getBlob(absent), repo.getBlob(absent)])],
  ['getBlob', async (repo) => await repo.getBlob(absent).then((answer) => answer.content)],
  [
    'getBlob',
    async (repo) => {
      const later = repo.getBlob(absent)
      return await later
    }
  ],
  ['storeBlob', async (repo) => await repo.storeBlob(5 as never)],
  ['storeBlob', async (_repo, client) => await client.storeBlob('/demo', 'x')],
  ['repository', async (_repo, client) => client.repository('a b')],
  ['storeBlob', async (repo) => await repo.storeBlob('x', { timeoutMs: -1 })],
  ['storeBlob', async (repo) => await repo.storeBlob('x', { signal: AbortSignal.abort() })],
  ['getCommit', async (repo) => await repo.getCommit('main', { signal: AbortSignal.timeout(0) })],
  ['getTree', async (repo) => await repo.getTree({ revision: 'nowhere' })],
  ['updateRefs', async (repo) => await repo.updateRefs([{ name: 'refs/heads/x', expectedOid: absent, newOid: null }])],
  [
    'commitFiles',
    async (repo) => await repo.commitFiles({ branch: 'main', changes: { a: { oid: absent } }, message: 'm', author })
  ],
  ['getRepository', async (_repo, client) => await client.getRepository('nowhere')],
  ['listRepositories', async (_repo, client) => await client.listRepositories({ pageToken: 'x' })],
  ['getCapabilities', async (_repo, client) => await client.getCapabilities({ signal: AbortSignal.abort() })],
  [
    'commits',
    async (repo) => {
      for await (const commit of repo.commits({ revision: 'nowhere' })) assert.fail(commit.oid)
    }
  ],
  [
    'batch',
    async (repo) => {
      const [stored, read] = await repo.batch([{ storeBlob: { content: 'x' } }, { getBlob: { oid: absent } }])
      assert.ok(stored.ok)
      throw read.error
    }
  ]
]

/** The error of a call; the lines of this file above it, up to `failing`, are the caller's. */
async function errorOf(call: Promise<unknown>): Promise<BlobwireError> {
  return call.then(
    () => assert.fail('the call succeeded'),
    (error) => {
      assert.ok(error instanceof BlobwireError, inspect(error))
      return error
    }
  )
}

/** Whether the stack has a line of this file inside the function, which begins at this line of it. */
function hasCallerOf(error: BlobwireError, from: number, to: number): boolean {
  const lines = (error.stack ?? '').matchAll(new RegExp(`${here}:(\\d+):`, 'g'))
  return [...lines].some(([, line]) => Number(line) >= from && Number(line) <= to)
}

/** The list of calls, in this file. */
const firstLine = 19
const lastLine = 60

async function serverWithDemo(context: TestContext): Promise<TestServer> {
  const fixture = atEnd(context, await testServer())
  await fixture.client().createRepository('demo')
  return fixture
}

const ways: readonly (readonly [name: string, options: Partial<ClientOptions>])[] = [
  ['', {}],
  [', requests of their own', { batch: false }],
  [', interceptors of calls', { interceptors: [async (call, next) => next(call)] }],
  [', interceptors of requests', { interceptors: [{ request: async (call, next) => next(call) }] }]
]
for (const transport of transports) {
  for (const [name, options] of ways) {
    test(`method, endpoint and the caller's line (${transport}${name})`, async (context) => {
      const fixture = await serverWithDemo(context)
      const client = fixture.client({ transport, ...options })
      const { http, grpc } = fixture.server
      const endpoint = transport === 'grpc' ? grpc.replace('http', 'grpc') : http
      for (const [method, call] of failing) {
        const error = await errorOf(call(client.repository('demo'), client))
        assert.deepEqual([error.method, error.endpoint], [method, endpoint], `${error.stack}`)
        assert.ok(error.message.startsWith(`${method} at ${endpoint}: `), error.message)
        assert.ok(error.stack?.startsWith(`BlobwireError: ${error.message}\n`), `${error.stack}`)
        assert.ok(hasCallerOf(error, firstLine, lastLine), `${call}\n${error.stack}`)
      }
    })
  }
}

/** The lines of this file in a stack, as text. */
const linesOf = (error: BlobwireError) => (error.stack ?? '').split('\n').filter((line) => line.includes(here))

for (const transport of transports) {
  test(`calls that share a failure have the lines of their own callers (${transport})`, async (context) => {
    const { httpPort } = await ownPorts()
    const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${httpPort}`
    const client = createClient({ endpoint, transport, retry: false, breaker: false })
    context.after(() => client.close())
    const one = async () => await client.storeBlob('demo', 'one')
    const other = async () => await client.getBlob('demo', absent)
    const errors = await Promise.all([errorOf(one()), errorOf(other())])
    assert.deepEqual(
      errors.map(({ method, code }) => [method, code]),
      [
        ['storeBlob', 'unavailable'],
        ['getBlob', 'unavailable']
      ]
    )
    const [first, second] = errors.map((error) => linesOf(error)[0])
    assert.ok(first?.includes('at async one') && second?.includes('at async other'), `${first}\n${second}`)
  })

  test(`the deadline, an open breaker and the end of the client (${transport})`, async (context) => {
    const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    context.after(() => silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${port}`
    const breaker = { failures: 1, waitMs: 0 }
    const client = createClient({ endpoint, transport, retry: false, breaker, connection: { connectTimeoutMs: 300 } })
    const store = async (timeoutMs: number) => await client.storeBlob('demo', 'x', { timeoutMs })
    const late = await errorOf(store(20))
    const failed = await errorOf(store(2000))
    const open = await errorOf(store(2000))
    const under = errorOf(store(2000))
    await client.close()
    for (const error of [late, failed, open, await under, await errorOf(store(2000))]) {
      assert.match(`${linesOf(error)[0]}`, /at async store/, `${error.stack}`)
      assert.ok(error.message.startsWith(`storeBlob at ${endpoint}: `), error.message)
    }
    assert.deepEqual([late.code, failed.code], ['deadline_exceeded', 'unavailable'])
  })
}

class PolicyError extends BlobwireError {}

test('an error that an interceptor throws keeps its class, its line and its cause', async (context) => {
  const refused = new PolicyError({
    code: 'permission_denied',
    message: 'not on Fridays',
    cause: new Error('calendar')
  })
  for (const isRequest of [false, true]) {
    const refuse = async () => {
      throw refused
    }
    const fixture = await serverWithDemo(context)
    const client = fixture.client({ interceptors: [isRequest ? { request: refuse } : refuse] })
    const first = async () => await client.storeBlob('demo', 'x')
    const second = async () => await client.getBlob('demo', absent)
    assert.equal(await errorOf(first()), refused)
    assert.equal(await errorOf(second()), refused)
    const lines = linesOf(refused).join('\n')
    assert.match(lines, /async second/)
    assert.doesNotMatch(lines, /async first/, 'only of its last caller')
    assert.equal(refused.message, 'not on Fridays')
  }
  const thrown = new Error('no such header')
  const fixture = await serverWithDemo(context)
  const fail = async () => {
    throw thrown
  }
  const client = fixture.client({ interceptors: [fail] })
  const call = async () => await client.storeBlob('demo', 'x')
  const error = await errorOf(call())
  assert.equal(error.cause, thrown)
  assert.match(`${thrown.stack}`, /^Error: no such header\n {4}at /)
  assert.match(linesOf(error).join(), /async call/)
})

test('a promise that nobody awaits yet rejects with the stack of the failure', async (context) => {
  const fixture = await serverWithDemo(context)
  const call = fixture.client().getBlob('demo', absent)
  const settled = new Promise<BlobwireError>((resolve) => call.catch(resolve))
  const error = await settled
  assert.match(`${error.stack}`, /^BlobwireError: getBlob at .*\n {4}at /)
})

test('calls that succeed capture no stack', async (context) => {
  const fixture = await serverWithDemo(context)
  const repo = fixture.client().repository('demo')
  await repo.storeBlob('warm')
  const { captureStackTrace } = Error
  let captures = 0
  context.after(() => Object.assign(Error, { captureStackTrace }))
  Error.captureStackTrace = (...values) => {
    captures++
    captureStackTrace(...values)
  }
  await Promise.all(Array.from({ length: 100 }, (_, index) => repo.storeBlob(`content ${index}`)))
  assert.equal(captures, 0)
  await assert.rejects(repo.getBlob(absent))
  assert.ok(captures > 0)
})
