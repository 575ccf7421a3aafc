/** WatchRefs as a stream of its own, judged by clients of others: Connect's own, and grpc-js with proto-loader. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createClient, type Interceptor } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node'
import {
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { atEnd, testServer } from '../support/server.ts'
import { vcsService } from '../support/vcs-service.ts'
import { commit, main, repositoryOf } from './support.ts'

const includeDirs = [join(import.meta.dirname, '../../proto')]
const definition = loadSync('blobwire/v1/vcs.proto', { includeDirs, defaults: true })

interface Message {
  readonly cursor: string
  readonly gap: boolean
  readonly events: readonly { cursor: string; requestId: string; moves: readonly { name: string; newOid: string }[] }[]
  readonly page?: { refs: readonly { name: string; oid: string }[]; last: boolean }
}
type Watch = (request: object, signal?: AbortSignal) => AsyncIterable<Message>

const grants = [
  { token: 'writer', access: 'write' as const, repositories: ['*'] },
  { token: 'other', access: 'read' as const, repositories: ['else'] },
  {
    token: 'short',
    access: 'read' as const,
    repositories: ['*'],
    expires: new Date(Date.now() + 3_600_000).toISOString()
  }
]

const judges = {
  'Connect with defaults': connectWatch('2'),
  'Connect with JSON over HTTP/1.1': connectWatch('1.1'),
  'connect-node over gRPC': connectWatch('grpc'),
  'grpc-js': grpcWatch
}

function connectWatch(form: '2' | '1.1' | 'grpc') {
  return async (urls: { http: string; grpc: string }, token: string): Promise<Watch> => {
    const authorize: Interceptor = (next) => (request) => {
      request.header.set('authorization', `Bearer ${token}`)
      return next(request)
    }
    const interceptors = [authorize]
    const transport =
      form === 'grpc'
        ? createGrpcTransport({ baseUrl: urls.grpc, interceptors })
        : createConnectTransport({ baseUrl: urls.http, httpVersion: form, useBinaryFormat: form === '2', interceptors })
    const client = createClient(await vcsService(), transport) as unknown as {
      watchRefs(request: object, options: { signal?: AbortSignal | undefined }): AsyncIterable<Message>
    }
    return (request, signal) => client.watchRefs(request, { signal })
  }
}

async function grpcWatch({ grpc }: { grpc: string }, token: string): Promise<Watch> {
  const types = loadPackageDefinition(definition) as unknown as {
    blobwire: { v1: { VcsService: ServiceClientConstructor } }
  }
  const client = new types.blobwire.v1.VcsService(new URL(grpc).host, credentials.createInsecure())
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  return async function* (request, signal) {
    const start = client['WatchRefs'] as (request: object, metadata: Metadata) => ClientReadableStream<Message>
    const stream = start.call(client, request, metadata)
    stream.on('error', () => undefined)
    const stop = () => stream.cancel()
    signal?.addEventListener('abort', stop)
    try {
      yield* stream
    } finally {
      client.close()
    }
  }
}

async function prepare(context: TestContext) {
  const fixture = atEnd(context, await testServer({ grants }))
  const client = fixture.client({ token: 'writer' })
  return { fixture, ...(await repositoryOf(client, 'demo')) }
}

for (const [name, judge] of Object.entries(judges)) {
  test(`pages, then events, then events from a cursor on (${name})`, async (context) => {
    const { fixture, repo, oids } = await prepare(context)
    const watch = await judge(fixture.server, 'writer')
    const ending = new AbortController()
    const messages = watch({ repository: 'demo', prefix: 'refs/heads/', snapshot: true }, ending.signal)[
      Symbol.asyncIterator
    ]()
    const { value: first } = (await messages.next()) as { value: Message }
    assert.deepEqual([first.page?.refs.map((ref) => [ref.name, ref.oid]), first.page?.last], [[[main, oids[0]]], true])
    const b = await commit(repo, 'b')
    const { value: second } = (await messages.next()) as { value: Message }
    assert.deepEqual(
      second.events.map(({ moves }) => moves.map((move) => [move.name, move.newOid])),
      [[[main, b]]]
    )
    ending.abort()
    await messages.next().catch(() => undefined)
    const again = (await judge(fixture.server, 'writer'))({ repository: 'demo', cursor: first.cursor })
    const seen: string[] = []
    for await (const { events } of again) {
      seen.push(...events.flatMap(({ moves }) => moves.map((move) => move.newOid)))
      if (seen.length > 0) break
    }
    assert.deepEqual(seen, [b])
  })
}

test('a watch needs the right to read, ends with its token, and when the server closes', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  for (const [name, judge] of Object.entries(judges)) {
    const { fixture, repo } = await prepare(context)
    const next = async (messages: AsyncIterator<Message>) => ((await messages.next()).value as Message).cursor
    const open = async (token: string) =>
      (await judge(fixture.server, token))({ repository: 'demo', snapshot: true })[Symbol.asyncIterator]()
    await assert.rejects(next(await open('other')), /does not permit|not found/, name)
    const draining = await open('writer')
    const short = await open('short')
    await Promise.all([next(draining), next(short)])
    const expired = assert.rejects(next(short), /expired/, name)
    context.mock.timers.setTime(Date.now() + 3_600_000)
    await commit(repo, 'late')
    await expired
    await next(draining)
    const moved = assert.rejects(next(draining), /shutting down/, name)
    await fixture.server.close()
    await moved
    context.mock.timers.setTime(Date.now() - 3_600_000)
  }
})
