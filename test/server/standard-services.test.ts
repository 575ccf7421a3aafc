/** Health checks and reflection on the HTTP port, asked by clients of others: fetch, grpc-js and buf curl. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { Agent, request } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { service as healthService } from 'grpc-health-check'
import { openStandardServices } from '../../server-fixture/grpc/standard-services.ts'
import { childEnvironment, runNode } from '../support/child.ts'
import { grpcMessage, rawCall, rawGrpc } from '../support/raw-grpc.ts'
import { type TestServer, testServer } from '../support/server.ts'

const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url))
const { RESOURCE_EXHAUSTED, UNIMPLEMENTED, INVALID_ARGUMENT, NOT_FOUND } = grpc.status

let fixture: TestServer
before(async () => {
  // Nobody needs a token to ask for them.
  fixture = await testServer({ grants: [{ token: 'good', access: 'read', repositories: ['*'] }] })
})
after(() => fixture[Symbol.asyncDispose]())

const post = (path: string, body: string | Uint8Array, type = 'application/json') =>
  fetch(fixture.server.http + path, { method: 'POST', headers: { 'content-type': type }, body })

const check = '/grpc.health.v1.Health/Check'
const reflect = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'

test('servers start without tables of symbols, and share what tells of them', async () => {
  const options = { idleTimeoutMs: 1000, onMissing: assert.fail }
  const servers = await Promise.all([1, 2].map(() => openStandardServices({ onChange() {} }, options)))
  const [one, other] = servers.map(({ methodOf }) => methodOf(reflect)?.handler)
  assert.ok(one === other && one !== undefined)
  for (const { drain } of servers) drain()
  // Another test of this process may have asked for the tables.
  const script = `import descriptor from 'protobufjs/ext/descriptor/index.js'
    let decoded = 0
    const { decode } = descriptor.FileDescriptorProto
    descriptor.FileDescriptorProto.decode = (...values) => (decoded++, decode.apply(descriptor.FileDescriptorProto, values))
    const { startServer } = await import('./server-fixture/server.ts')
    const server = await startServer()
    await server.close()
    console.log(decoded)`
  assert.equal((await runNode('--input-type=module', '-e', script)).stdout, '0\n')
})

test('health is asked over Connect, in JSON and in protobuf', async () => {
  const answer = await post(check, '{}')
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.deepEqual(await answer.json(), { status: 'SERVING' })
  const binary = await post(check, '', 'application/proto')
  assert.deepEqual(Buffer.from(await binary.arrayBuffer()), Buffer.of(8, 1))
  const unknown = await post(check, '{"service":"other"}')
  assert.deepEqual([unknown.status, ((await unknown.json()) as { code: string }).code], [404, 'not_found'])
  assert.equal((await post(check, '{"service":1}')).status, 400)
  assert.equal((await post(check, JSON.stringify({ service: 'x'.repeat(5000) }))).status, 429)
  assert.equal((await post(check, '{}', 'text/plain')).status, 415)
  assert.equal((await fetch(fixture.server.http + check)).status, 405)
  for (const path of [check, '/.well-known/blobwire']) {
    const { status, headers } = await fetch(fixture.server.http + path, { method: 'OPTIONS' })
    assert.deepEqual([status, headers.get('allow')?.endsWith(', OPTIONS')], [204, true], path)
  }
})

/** A client of grpc-js on the HTTP port. */
function clientOf(definition: grpc.ServiceDefinition, name: string): grpc.Client {
  const Client = grpc.makeClientConstructor(definition, name)
  return new Client(new URL(fixture.server.http).host, grpc.credentials.createInsecure())
}

test('health is asked and watched by grpc-js', async () => {
  const other = await testServer()
  const Health = grpc.makeClientConstructor(healthService as grpc.ServiceDefinition, 'Health')
  const client = new Health(new URL(other.server.http).host, grpc.credentials.createInsecure())
  const { check: ask, watch } = client as unknown as {
    check(request: object, callback: (error: grpc.ServiceError | null, answer: object) => void): void
    watch(request: object): grpc.ClientReadableStream<{ status: string }>
  }
  const asked = (service: string) =>
    new Promise((resolve) => ask.call(client, { service }, (error, answer) => resolve(error?.code ?? answer)))
  assert.deepEqual(await asked(''), { status: 'SERVING' })
  assert.equal(await asked('other'), NOT_FOUND)
  const stream = watch.call(client, { service: '' })
  const told: string[] = []
  stream.on('data', ({ status }) => told.push(status))
  const ended = new Promise((resolve) => stream.once('error', resolve))
  await new Promise((resolve) => stream.once('data', resolve))
  await other[Symbol.asyncDispose]()
  await ended
  assert.deepEqual(told, ['SERVING', 'NOT_SERVING'])
  client.close()
})

test('reflection of both versions describes the service', async () => {
  const directory = join(
    dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json')),
    'build/proto'
  )
  for (const version of ['v1', 'v1alpha']) {
    const definition = loadSync(join(directory, `grpc/reflection/${version}/reflection.proto`), { oneofs: true })
    const name = `grpc.reflection.${version}.ServerReflection`
    const client = clientOf(definition[name] as grpc.ServiceDefinition, name) as unknown as {
      serverReflectionInfo(): grpc.ClientDuplexStream<
        object,
        { listServicesResponse?: { service: { name: string }[] } }
      >
      close(): void
    }
    const stream = client.serverReflectionInfo()
    const answers: object[] = []
    stream.on('data', (answer) => answers.push(answer))
    stream.write({ listServices: '*' })
    stream.write({ fileContainingSymbol: 'blobwire.v1.VcsService' })
    stream.end()
    await new Promise((resolve) => stream.once('end', resolve))
    const [list, file] = answers as {
      listServicesResponse?: { service: { name: string }[] }
      fileDescriptorResponse?: { fileDescriptorProto: Buffer[] }
    }[]
    const names = list?.listServicesResponse?.service.map((service) => service.name)
    assert.deepEqual(names, ['blobwire.v1.VcsService'])
    assert.ok(file?.fileDescriptorResponse?.fileDescriptorProto[0]?.includes('GetRepositoryRequest'))
    client.close()
  }
})

test('buf curl with its defaults finds the methods by reflection, over HTTP/1.1', async () => {
  const url = `${fixture.server.http}/blobwire.v1.VcsService/GetCapabilities`
  const { stdout } = await promisify(execFile)(buf, ['curl', '-d', '{}', url], { env: childEnvironment })
  assert.equal(JSON.parse(stdout).limits.maxBatchOperations, 1000)
})

test('callers whom nobody knows have little room', async () => {
  const connection = rawGrpc(fixture.server.http)
  for (const path of [check, reflect]) {
    const long = rawCall(connection, path)
    long.stream.end(grpcMessage(Buffer.alloc(5000)))
    assert.equal(await long.status, RESOURCE_EXHAUSTED, path)
    const bomb = rawCall(connection, path, { 'grpc-encoding': 'gzip' })
    bomb.stream.end(grpcMessage(Buffer.alloc(100_000), true))
    assert.equal(await bomb.status, RESOURCE_EXHAUSTED, path)
    const damaged = rawCall(connection, path)
    damaged.stream.end(grpcMessage(Buffer.of(0x0f)))
    assert.equal(await damaged.status, INVALID_ARGUMENT, path)
  }
  const unknown = rawCall(connection, '/grpc.health.v1.Health/Nothing')
  unknown.stream.end()
  assert.equal(await unknown.status, UNIMPLEMENTED)
  connection.destroy()
})

test('watches of health are told again before they are idle, and names that nobody knows are not kept', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  let onChange: (isReady: boolean) => void = () => {}
  const health = {
    onChange: (listener: typeof onChange) => {
      onChange = listener
    }
  }
  const { methodOf, drain } = await openStandardServices(health, { idleTimeoutMs: 1000, onMissing: assert.fail })
  const watch = methodOf('/grpc.health.v1.Health/Watch')?.handler as unknown as (call: object) => void
  const told: string[] = []
  const write = ({ status }: { status: string }) => void told.push(status)
  watch(Object.assign(new EventEmitter(), { request: { service: '' }, write }))
  context.mock.timers.tick(500)
  onChange(false)
  context.mock.timers.tick(500)
  drain()
  context.mock.timers.tick(5000)
  assert.deepEqual(told.splice(0), ['SERVING', 'SERVING', 'NOT_SERVING', 'NOT_SERVING'])
  // The package would listen for the end of a call that it keeps.
  watch({ request: { service: 'other' }, write })
  assert.deepEqual(told, ['SERVICE_UNKNOWN'])
})

/** A question with an answer of 11 kB, in its envelope. */
const describe = grpcMessage(Buffer.from('\x22\x16blobwire.v1.VcsService'))

test('a conversation that waits for its client adds no listeners', async (context) => {
  const warnings: Error[] = []
  // Node 22 warns of its MockTimers, too.
  const note = (warning: Error) => warning.name.startsWith('MaxListeners') && warnings.push(warning)
  process.on('warning', note)
  context.after(() => process.off('warning', note))
  const connection = rawGrpc(fixture.server.http)
  const { stream, status } = rawCall(connection, reflect)
  stream.end(Buffer.concat(Array(200).fill(describe)))
  assert.equal(await status, grpc.status.OK)
  connection.destroy()
  assert.deepEqual(warnings, [])
})

test('over HTTP/1.1, a conversation that fails leaves its connection to others; one that nobody reads ends', async (context) => {
  const other = await testServer({ idleTimeoutMs: 100 })
  context.after(() => other[Symbol.asyncDispose]())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  context.after(() => agent.destroy())
  const headers = { 'content-type': 'application/connect+proto' }
  const talk = (server: TestServer) => request(server.server.http + reflect, { agent, method: 'POST', headers })
  const failing = talk(fixture)
  failing.write(describe)
  const [answer] = await once(failing, 'response')
  failing.write(grpcMessage(Buffer.of(0x0f)))
  answer.resume()
  failing.end(Buffer.alloc(300_000))
  await once(answer, 'end')
  const next = request(`${fixture.server.http}/.well-known/blobwire`, { agent }).end()
  const [{ statusCode }] = await once(next, 'response')
  assert.deepEqual([statusCode, next.reusedSocket], [200, true])
  next.destroy()

  const unread = talk(other).on('error', () => undefined)
  unread.end(Buffer.concat(Array(1000).fill(describe)))
  await once(unread, 'response')
  while (other.server.metrics.snapshot().transports.http.calls['Reflection'] === undefined) await setTimeout(10)
})
