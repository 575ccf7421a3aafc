/** Which compressor a request gets: gzip until the server names others, and for servers that do not. */
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { decode, encode } from '@msgpack/msgpack'
import { acceptedEncodings, machineHeader } from '../../src/compression/compression.ts'
import { type ClientOptions, createClient } from '../../src/index.ts'
import * as machineOnNode from '../../src/platform/machine.ts'
import type { MachineFunctions } from '../../src/platform/platform.ts'
import { blobOid } from '../support/faulty-network.ts'
import { startPeer } from '../support/http2-peer.ts'
import { testServer } from '../support/server.ts'

const { machineMark }: MachineFunctions = machineOnNode
const content = 'all work and no play '.repeat(5000)
const small = 'all work and no play '.repeat(100)

interface Operation {
  readonly storeBlob: { readonly content: Uint8Array }
}

const unpack = { gzip: gunzipSync, zstd: zstdDecompressSync, identity: (bytes: Uint8Array) => bytes }
const stored = ({ storeBlob }: Operation) => ({
  storeBlob: { oid: blobOid(Buffer.from(storeBlob.content).toString()), size: storeBlob.content.length }
})

function allOf(stream: ServerHttp2Stream, use: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk)).once('end', () => use(Buffer.concat(chunks)))
}

/** A server of unary batches. `accepts` = its header; undefined = a version that knows gzip alone. */
async function unaryServer(context: TestContext, accepts: () => string | undefined) {
  const encodings: string[] = []
  const asked: unknown[] = []
  const peer = await startPeer(context, (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    if (String(headers[':path']).endsWith('/GetRepository')) {
      stream.respond({ ':status': 200, 'content-type': 'application/msgpack' })
      return void stream.end(encode({ repository: 'demo', objectFormat: 'sha1' }))
    }
    const encoding = String(headers['content-encoding'] ?? 'identity')
    encodings.push(encoding)
    asked.push(headers['accept-encoding'])
    allOf(stream, (body) => {
      const taken = accepts()
      if (encoding === 'zstd' && taken === undefined) {
        stream.respond({ ':status': 501, 'content-type': 'application/json' })
        return void stream.end(JSON.stringify({ code: 'unimplemented', message: 'unknown content-encoding "zstd"' }))
      }
      const request = decode(unpack[encoding as keyof typeof unpack](body)) as { operations: Operation[] }
      stream.respond({
        ':status': 200,
        'content-type': 'application/msgpack',
        ...(taken ? { 'accept-encoding': taken } : {})
      })
      stream.end(encode({ results: request.operations.map(stored) }))
    })
  })
  return { url: peer.url, encodings, asked }
}

function open(context: TestContext, url: string, options: Partial<ClientOptions> = {}) {
  const client = createClient({ endpoint: url, transport: 'msgpack', batch: false, ...options })
  context.after(() => client.close())
  return async (text: string) => {
    const [result] = await client.batch('demo', [{ storeBlob: { content: text } }])
    assert.ok(result.ok)
    assert.equal(result.value.oid, blobOid(text))
  }
}

test('unary: zstd once an answer says that the server takes it, gzip before, and gzip for small messages', async (context) => {
  const { url, encodings, asked } = await unaryServer(context, () => 'zstd, gzip, deflate')
  const store = open(context, url)
  for (const text of [content, content, small]) await store(text)
  assert.deepEqual(encodings, ['gzip', 'zstd', 'gzip'])
  assert.deepEqual(new Set(asked), new Set(['zstd, gzip']))
})

test('unary: gzip for a server that names nothing, and where the client was told so', async (context) => {
  const older = await unaryServer(context, () => undefined)
  const store = open(context, older.url)
  for (const text of [content, content]) await store(text)
  assert.deepEqual(older.encodings, ['gzip', 'gzip'])
  const cases = [
    [{ compression: 'gzip' }, 'gzip', 'gzip'],
    [{ compression: 'none' }, 'identity', undefined],
    [{ gzip: false }, 'identity', undefined],
    [{ gzip: false, compression: 'gzip' }, 'gzip', 'gzip'],
    [{ gzip: true }, 'zstd', 'zstd, gzip']
  ] as const
  for (const [options, encoding, accepted] of cases) {
    const { url, encodings, asked } = await unaryServer(context, () => 'zstd, gzip')
    const storeSo = open(context, url, options)
    for (const text of [content, content]) await storeSo(text)
    assert.deepEqual([encodings[1], asked[1]], [encoding, accepted], JSON.stringify(options))
  }
})

test('unary: a server behind the same address that lacks zstd gets the request again, and nothing but gzip from then on', async (context) => {
  let taken: string | undefined = 'zstd, gzip'
  const { url, encodings } = await unaryServer(context, () => taken)
  const store = open(context, url)
  await store(content)
  taken = undefined
  await store(content)
  taken = 'zstd, gzip'
  await store(content)
  assert.deepEqual(encodings, ['gzip', 'zstd', 'gzip', 'gzip'])
})

test('session: zstd from the first frame after the server has named it; gzip for one that has not', async (context) => {
  for (const accepts of [undefined, 'zstd, gzip']) {
    const frames: string[] = []
    let declared: unknown
    const peer = await startPeer(context, (stream, headers) => {
      if (!String(headers[':path']).endsWith('/Session'))
        return void stream.respond({ ':status': 404 }, { endStream: true })
      declared = [headers['connect-content-encoding'], headers['connect-accept-encoding']]
      stream.respond({
        ':status': 200,
        'content-type': 'application/connect+msgpack',
        ...(accepts ? { 'connect-accept-encoding': accepts } : {})
      })
      let held = Buffer.alloc(0)
      stream.on('data', (chunk: Buffer) => {
        held = Buffer.concat([held, chunk])
        while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
          const [flags, payload] = [held[0], held.subarray(5, 5 + held.readUInt32BE(1))]
          held = held.subarray(5 + payload.length)
          const name = flags === 0 ? 'identity' : payload[0] === 0x28 ? 'zstd' : 'gzip'
          frames.push(name)
          const { batch } = decode(unpack[name](payload)) as { batch: { firstId: number; operations: Operation[] } }
          const results = batch.operations.map((operation, index) => ({
            id: batch.firstId + index,
            result: stored(operation)
          }))
          const answer = encode({ results })
          const header = Buffer.alloc(5)
          header.writeUInt32BE(answer.length, 1)
          stream.write(Buffer.concat([header, answer]))
        }
      })
      stream.once('end', () => stream.end(Buffer.from('02000000027b7d', 'hex')))
    })
    const client = createClient({ endpoint: peer.url, transport: 'msgpack' })
    context.after(() => client.close())
    const store = async (text: string) => assert.equal((await client.storeBlob('demo', text)).oid, blobOid(text))
    await store('first')
    await store(content)
    assert.deepEqual(frames, ['identity', accepts ? 'zstd' : 'gzip'])
    assert.deepEqual(declared, ['gzip', 'zstd, gzip'])
  }
})

test('both ends of this version: zstd both ways, in unary calls and sessions, and nothing on one machine', async (context) => {
  const server = await testServer()
  context.after(() => server[Symbol.asyncDispose]())
  const bytes: Record<string, number> = {}
  for (const batch of [{}, false] as const) {
    for (const compression of ['auto', 'always', 'gzip', 'none'] as const) {
      const client = server.client({ transport: 'msgpack', compression, batch })
      await client.createRepository('demo')
      const text = Array.from({ length: 9000 }, (_, at) => `${at * at} of ${compression} ${batch !== false}\n`).join('')
      const { oid } = await client.storeBlob('demo', 'first')
      assert.equal((await client.getBlob('demo', oid)).size, 5)
      const stored = await client.storeBlob('demo', text)
      assert.equal(Buffer.from((await client.getBlob('demo', stored.oid)).content).toString(), text)
      const { bytesSent, bytesReceived } = client.stats()
      bytes[`${batch !== false} ${compression}`] = bytesSent + bytesReceived
    }
  }
  for (const way of ['true', 'false']) {
    assert.ok((bytes[`${way} always`] as number) < 0.97 * (bytes[`${way} gzip`] as number), JSON.stringify(bytes))
    assert.ok((bytes[`${way} gzip`] as number) < 0.6 * (bytes[`${way} none`] as number), JSON.stringify(bytes))
    if (process.platform === 'linux') {
      assert.ok((bytes[`${way} auto`] as number) > 0.95 * (bytes[`${way} none`] as number), JSON.stringify(bytes))
    }
  }
})

test('a client on another machine, behind a tunnel, gets compressed answers', async (context) => {
  const server = await testServer()
  context.after(() => server[Symbol.asyncDispose]())
  const client = server.client()
  await client.createRepository('demo')
  const { oid } = await client.storeBlob('demo', content)
  const encodingFor = async (machine: string) => {
    const response = await fetch(`${server.server.http}/blobwire.v1.VcsService/GetBlob`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'accept-encoding': 'gzip',
        ...(machine && { [machineHeader]: machine })
      },
      body: JSON.stringify({ repository: 'demo', oid })
    })
    assert.equal(((await response.json()) as { oid: string }).oid, oid)
    return [response.headers.get('content-encoding'), response.headers.get('accept-encoding')]
  }
  assert.deepEqual(await encodingFor(''), ['gzip', acceptedEncodings])
  assert.deepEqual(await encodingFor('0'.repeat(32)), ['gzip', acceptedEncodings])
  if (machineMark() !== '') assert.deepEqual(await encodingFor(machineMark()), [null, 'identity'])
})

test('a machine is told to loopback addresses alone, and where compression is left to the client', async (context) => {
  const told: Record<string, unknown> = {}
  for (const compression of ['auto', 'always', 'gzip', 'none'] as const) {
    const peer = await startPeer(context, (stream, headers) => {
      told[compression] = headers[machineHeader]
      stream.respond({ ':status': 200, 'content-type': 'application/msgpack' })
      stream.end(encode({ repository: 'demo', objectFormat: 'sha1' }))
    })
    const client = createClient({ endpoint: peer.url, transport: 'msgpack', compression, batch: false })
    await client.getRepository('demo')
    await client.close()
  }
  const auto = machineMark() || undefined
  assert.deepEqual(told, { auto, always: undefined, gzip: undefined, none: undefined })
})
