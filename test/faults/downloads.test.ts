/** Downloads from a server in trouble: cut, silent, killed, drained, wrong; and clients that leave. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { type Client, createClient } from '../../src/index.ts'
import { startKilledServer, startWires } from '../support/killed-server.ts'
import { largeContent, largeServer, storeLarge } from '../support/large-blobs.ts'
import { until } from '../support/until.ts'

const transports = ['json', 'msgpack', 'grpc'] as const
const content = largeContent()
const author = { name: 'Ada', email: 'ada@example.org' }
/** Cuts may come before the first message of an attempt: there is more than one for each. */
const retry = { baseMs: 1, maxMs: 5, maxAttempts: 30 }

/** A server with faults and a blob. */
async function scene(context: TestContext) {
  const faults = new Faults()
  const fixture = await largeServer(context, { faults })
  return { faults, fixture, oid: await storeLarge(fixture, content) }
}

/** Nothing of a transfer is left at the client. */
async function isAtRest(client: Client): Promise<void> {
  await until(() => client.stats().connections.streams <= 1, 'only the session is open')
  const { endpoints } = client.stats()
  await until(() => endpoints.every(({ inFlight }) => inFlight === 0), 'no attempt is under way')
}

test('twenty cuts at random: byte-identical, and next to nothing is sent twice', async (context) => {
  const { faults, fixture, oid } = await scene(context)
  for (const transport of transports) {
    const client = fixture.client({ transport, retry })
    faults.add({ rpc: 'DownloadBlob', fault: { kind: 'cut', afterBytes: 5000, jitterBytes: 30_000 }, count: 20 })
    assert.deepEqual(await client.download('demo', oid).bytes(), content, transport)
    const { retries, bytesReceived } = client.stats().transfers
    assert.ok(retries > 10, `${retries} retries`)
    assert.ok(bytesReceived < content.length * 1.05, `${bytesReceived} bytes`)
    await isAtRest(client)
  }
})

test('ranges and parts that are cut have the right bytes', async (context) => {
  const { faults, fixture, oid } = await scene(context)
  for (const transport of transports) {
    const client = fixture.client({ transport, retry })
    faults.add({ rpc: 'DownloadBlob', fault: { kind: 'cut', afterBytes: 1, jitterBytes: 60_000 }, count: 12 })
    const range = await client.download('demo', oid, { start: 33_333, end: 444_444 }).bytes()
    assert.deepEqual(range, content.slice(33_333, 444_444), transport)
    assert.deepEqual(await client.download('demo', oid, { parallel: 4 }).bytes(), content)
  }
})

test('a branch that moves while its file is cut: the bytes are those of the first answer', async (context) => {
  const { faults, fixture, oid } = await scene(context)
  const other = await storeLarge(fixture, largeContent(content.length, 2))
  const commit = (of: string) => ({ branch: 'main', changes: { 'a.bin': { oid: of } }, message: 'm\n', author })
  for (const transport of transports) {
    const client = fixture.client({ transport, retry })
    await client.commitFiles('demo', commit(oid))
    faults.add({ rpc: 'DownloadBlob', fault: { kind: 'cut', afterBytes: 100_000 }, count: 3 })
    const download = client.download('demo', { revision: 'main', path: 'a.bin' })
    const pieces: Uint8Array[] = []
    for await (const piece of download) {
      if (pieces.push(piece) === 1) await client.commitFiles('demo', commit(other))
    }
    assert.ok(Buffer.concat(pieces).equals(content), transport)
    assert.equal((await download.info()).oid, oid)
  }
})

test('a flipped bit: data_loss, and no file', async (context) => {
  const { faults, fixture, oid } = await scene(context)
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-download-'))
  context.after(() => rm(directory, { recursive: true }))
  faults.add({ rpc: 'DownloadBlob', fault: { kind: 'corrupt', afterBytes: 250_000 } })
  for (const transport of transports) {
    const client = fixture.client({ transport })
    const integrity = { code: 'data_loss', reason: 'integrity' }
    await assert.rejects(client.download('demo', oid).toFile(join(directory, 'a')), integrity)
    await assert.rejects(client.download('demo', oid, { start: 1 }).bytes(), integrity)
    await assert.rejects(client.download('demo', oid, { parallel: 2 }).bytes(), integrity)
    await isAtRest(client)
  }
  assert.deepEqual(await readdir(directory), [])
})

test('a server that falls silent in the middle: another attempt goes on after stallTimeoutMs', async (context) => {
  const { faults, fixture, oid } = await scene(context)
  for (const transport of transports) {
    const client = fixture.client({ transport, retry })
    faults.add({ rpc: 'DownloadBlob', fault: { kind: 'silence', afterBytes: 100_000 }, count: 1 })
    assert.deepEqual(await client.download('demo', oid, { stallTimeoutMs: 200 }).bytes(), content)
    assert.ok(client.stats().transfers.retries >= 1)
    faults.add({ rpc: 'DownloadBlob', fault: { kind: 'silence', afterBytes: 100_000 }, count: 1 })
    const late = client.download('demo', oid, { timeoutMs: 300 }).bytes()
    await assert.rejects(late, { code: 'deadline_exceeded', method: 'download' })
    await isAtRest(client)
  }
})

test('readers that leave, abort or forget: no stream, no process and no memory is held', async (context) => {
  const { fixture, oid } = await scene(context)
  for (const transport of transports) {
    const client = fixture.client({ transport })
    for (let round = 0; round < 40; round++) {
      const controller = new AbortController()
      const download = client.download('demo', oid, { signal: controller.signal })
      if (round % 4 === 0) continue
      for await (const _ of download) {
        if (round % 4 === 1) controller.abort()
        else if (round % 4 === 2) await download.close()
        break
      }
    }
    await isAtRest(client)
  }
})

test('closing the client ends downloads with client_closed', async (context) => {
  const { faults, fixture, oid } = await scene(context)
  faults.add({ rpc: 'DownloadBlob', fault: { kind: 'silence', afterBytes: 100_000 } })
  for (const transport of transports) {
    const client = fixture.client({ transport })
    const bytes = client.download('demo', oid).bytes()
    bytes.catch(() => undefined)
    await until(() => client.stats().transfers.bytesReceived > 50_000, 'bytes have come')
    await client.close()
    await assert.rejects(bytes, { code: 'cancelled', reason: 'client_closed' })
    await assert.rejects(client.download('demo', oid).bytes(), { reason: 'client_closed' })
  }
})

test('wires that are cut and a server that is killed in the middle: byte-identical', async (context) => {
  const large = largeContent(8_000_000)
  const server = await startKilledServer(context)
  const { place, reset } = await startWires(context, server.place)
  const ample = { maxAttempts: 100, baseMs: 20, maxMs: 300, budgetRatio: 1, budgetPerSecond: 1000 }
  const direct = createClient({ endpoint: server.place.http, retry: ample })
  context.after(() => direct.close())
  await direct.createRepository('demo')
  const { oid } = await direct.repository('demo').upload(large)
  for (const transport of transports) {
    const endpoint = transport === 'grpc' ? place.grpc : place.http
    const client = createClient({ endpoint, transport, retry: ample })
    context.after(() => client.close())
    const pieces: Uint8Array[] = []
    let bytes = 0
    for await (const piece of client.download('demo', oid)) {
      pieces.push(piece)
      const before = bytes
      bytes += piece.length
      for (const at of [1_000_000, 3_000_000, 7_000_000]) if (before < at && bytes >= at) reset()
      const isKilled = transport === 'msgpack' && before < 5_000_000 && bytes >= 5_000_000
      if (isKilled) await server.killAndStart()
    }
    assert.ok(Buffer.concat(pieces).equals(large), transport)
  }
})
