/** Transfers that are aborted, refused early, or at a peer that takes or gives nothing: at once, within bounds, without leaks. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { BlobwireError, blobOid } from '../../src/index.ts'
import { startPeer } from '../support/http2-peer.ts'
import { listen } from '../support/tcp-server.ts'
import { downloadFailure, downloadOf, openTransfers, startGrpcPeer, uploadOf } from '../support/transfer-peer.ts'
import { settlesAtOnce, until } from '../support/until.ts'

const content = randomBytes(100_000)
const oid = blobOid(content)
const mebibyte = 1024 * 1024
const chunk = Buffer.alloc(256 * 1024, 'x')
const names = ['json', 'grpc'] as const

/** A source without an end. */
function endless() {
  const source = { givenBytes: 0, hasEnded: false, chunks: chunks() }
  async function* chunks() {
    try {
      for (;;) {
        source.givenBytes += chunk.length
        yield chunk
      }
    } finally {
      source.hasEnded = true
    }
  }
  return source
}

const given = () => new BlobwireError({ code: 'cancelled', message: 'enough' })

/** A server that never reads, and never answers. */
async function startSilent(context: TestContext, name: (typeof names)[number]): Promise<string> {
  if (name === 'json') return (await startPeer(context, () => undefined)).url
  return startGrpcPeer(context, { upload: () => undefined, download: () => undefined })
}

for (const name of names) {
  test(`${name}: an upload that the server does not read takes no more than the windows from its source`, async (context) => {
    const url = await startSilent(context, name)
    const { transport, counters } = await openTransfers(context, name, url)
    const source = endless()
    const ending = new AbortController()
    const upload = transport.upload(
      uploadOf(content, { size: undefined, chunks: source.chunks, signal: ending.signal })
    )
    let before = -1
    await until(() => {
      const isQuiet = before > 0 && before === source.givenBytes
      before = source.givenBytes
      return isQuiet
    }, 'the source is not asked any more')
    assert.ok(source.givenBytes <= 2 * mebibyte, `${source.givenBytes}`)
    const error = given()
    ending.abort(error)
    const found = await settlesAtOnce(upload.catch((failed) => failed))
    assert.deepEqual([found.code, found.message, found.transport], ['cancelled', error.message, name])
    await until(() => source.hasEnded, 'the source is told')
    assert.equal(counters.transferConnections.streams, 0)
  })

  test(`${name}: aborts before, while waiting, sending and receiving leave nothing behind`, async (context) => {
    const url =
      name === 'grpc'
        ? await startGrpcPeer(context, {
            upload: (call) => call.resume(),
            download(call) {
              call.write({ oid, size: 100 * mebibyte, offset: 0 })
              call.write({ offset: 0, chunk })
            }
          })
        : (
            await startPeer(context, (stream) => {
              stream.resume()
              stream.respond({ ':status': 200, etag: `"${oid}"`, 'content-length': 100 * mebibyte })
              stream.write(chunk)
            })
          ).url
    const { transport, counters } = await openTransfers(context, name, url)
    for (let round = 0; round < 30; round++) {
      const ending = new AbortController()
      const { signal } = ending
      const listeners: string[] = []
      const add = signal.addEventListener.bind(signal)
      const remove = signal.removeEventListener.bind(signal)
      Object.assign(signal, {
        addEventListener: (...given: Parameters<typeof add>) => listeners.push(given[0]) && add(...given),
        removeEventListener: (...given: Parameters<typeof remove>) => listeners.pop() && remove(...given)
      })
      const isUpload = round % 3 === 0 && name === 'grpc'
      const transfer = isUpload
        ? transport.upload(uploadOf(content, { chunks: endless().chunks, size: undefined, signal }))
        : downloadFailure({ transport, counters }, downloadOf(oid, { signal })).then((error) => Promise.reject(error))
      const failed = transfer.catch((error) => error as BlobwireError)
      for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve))
      ending.abort(given())
      const { message } = (await settlesAtOnce(failed)) as BlobwireError
      assert.match(message, /enough/)
      assert.deepEqual(listeners, [])
    }
    assert.equal(counters.transferConnections.streams, 0)
    assert.ok(counters.transferConnections.opened <= 4)
  })

  test(`${name}: a reader that leaves early ends the stream, and the connection is used again`, async (context) => {
    let cancelled = 0
    const url =
      name === 'grpc'
        ? await startGrpcPeer(context, {
            download(call) {
              call.on('cancelled', () => cancelled++)
              call.write({ oid, size: 100 * mebibyte, offset: 0 })
              call.write({ offset: 0, chunk })
            }
          })
        : (
            await startPeer(context, (stream) => {
              stream.on('close', () => cancelled++)
              stream.respond({ ':status': 200, etag: `"${oid}"`, 'content-length': 100 * mebibyte })
              stream.write(chunk)
            })
          ).url
    const { transport, counters } = await openTransfers(context, name, url)
    for (let round = 1; round <= 5; round++) {
      const { chunks } = await transport.download(downloadOf(oid))
      for await (const piece of chunks) if (piece.length > 0) break
      await until(() => cancelled === round, 'the server is told')
    }
    assert.deepEqual([counters.transferConnections.opened, counters.transferConnections.streams], [1, 0])
  })

  test(`${name}: a source that fails is the error of the upload, and the server sees no end`, async (context) => {
    let begun = 0
    let ends = 0
    let closes = 0
    const url =
      name === 'grpc'
        ? await startGrpcPeer(context, {
            upload(call) {
              begun++
              call.on('data', ({ complete }) => {
                if (complete) ends++
              })
              call.on('cancelled', () => closes++)
            }
          })
        : (
            await startPeer(context, (stream) => {
              begun++
              stream.on('data', () => undefined)
              stream.on('end', () => {
                if (stream.rstCode === 0) ends++
              })
              stream.on('close', () => closes++)
            })
          ).url
    const { transport, counters } = await openTransfers(context, name, url)
    const error = new BlobwireError({ reason: 'source_failed', message: 'the disk is gone' })
    async function* chunks() {
      yield content
      await until(() => begun === 1, 'the upload has begun')
      throw error
    }
    const found = await transport.upload(uploadOf(content, { chunks: chunks(), size: undefined })).catch((e) => e)
    assert.deepEqual([found.reason, found.code], ['source_failed', 'aborted'])
    await until(() => closes === 1, 'the stream is reset')
    assert.deepEqual([ends, counters.transferConnections.streams], [0, 0])
  })
}

test('a transfer that waits for a connection ends at once when it is aborted', async (context) => {
  const port = await listen(context, () => undefined)
  const { transport, counters } = await openTransfers(context, 'json', `http://127.0.0.1:${port}`)
  const ending = new AbortController()
  const failed = transport.download(downloadOf(oid, { signal: ending.signal })).catch((error) => error)
  await until(() => counters.transferConnections.open === 1, 'a connection')
  ending.abort(given())
  assert.equal((await settlesAtOnce(failed)).code, 'cancelled')
  assert.equal(counters.transferConnections.streams, 0)
})

test('json: a refusal that comes while the client still sends is the error, and the source is asked no more', async (context) => {
  const peer = await startPeer(context, (stream) => {
    stream.once('data', () => {
      stream.respond({ ':status': 403, 'content-type': 'application/json' })
      stream.end('{"code":"permission_denied","message":"not you"}', () => stream.close(0))
    })
  })
  const { transport, counters } = await openTransfers(context, 'json', peer.url)
  for (let round = 0; round < 3; round++) {
    const source = endless()
    const error = await transport
      .upload(uploadOf(content, { chunks: source.chunks, size: undefined }))
      .catch((failed) => failed)
    assert.deepEqual(
      [error.code, error.sent, error.retryable],
      ['permission_denied', 'processed', false],
      String(error)
    )
    await until(() => source.hasEnded, 'the source is told')
  }
  assert.deepEqual([counters.transferConnections.opened, counters.transferConnections.streams], [1, 0])
})

test('grpc: the same', async (context) => {
  const url = await startGrpcPeer(context, {
    upload(call, answer) {
      call.once('data', () => answer({ code: 7, details: 'not you' }))
    }
  })
  const { transport, counters } = await openTransfers(context, 'grpc', url)
  const source = endless()
  const error = await transport
    .upload(uploadOf(content, { chunks: source.chunks, size: undefined }))
    .catch((failed) => failed)
  assert.deepEqual([error.code, error.retryable], ['permission_denied', false], String(error))
  await until(() => source.hasEnded, 'the source is told')
  assert.equal(counters.transferConnections.streams, 0)
})

test('json: an answer that comes before the last byte is the answer', async (context) => {
  const peer = await startPeer(context, (stream) => {
    stream.once('data', () => {
      stream.respond({ ':status': 201, 'content-type': 'application/json' })
      stream.end(JSON.stringify({ oid, size: content.length, offset: content.length, complete: true }))
    })
  })
  const { transport } = await openTransfers(context, 'json', peer.url)
  const { chunks } = endless()
  const { complete } = await transport.upload(uploadOf(content, { chunks, size: undefined }))
  assert.equal(complete, true)
})

test('a reader that reads no more holds no more than the window', async (context) => {
  const sent: number[] = []
  const peer = await startPeer(context, (stream) => {
    stream.respond({ ':status': 200, etag: `"${oid}"`, 'content-length': 200 * mebibyte })
    let sentBytes = 0
    const index = sent.push(0) - 1
    const send = () => {
      while (!stream.destroyed && sentBytes < 200 * mebibyte) {
        sentBytes += chunk.length
        sent[index] = sentBytes
        if (!stream.write(chunk)) {
          stream.once('drain', send)
          return
        }
      }
    }
    send()
  })
  const { transport } = await openTransfers(context, 'json', peer.url, { maxTransferConnections: 1 })
  const { chunks } = await transport.download(downloadOf(oid))
  const reader = chunks[Symbol.asyncIterator]()
  await reader.next()
  let before = -1
  await until(() => {
    const [sentBytes = 0] = sent
    const isQuiet = sentBytes > 4 * mebibyte && before === sentBytes
    before = sentBytes
    return isQuiet
  }, 'the server sends no more')
  assert.ok(before <= 18 * mebibyte, `${before}`)
  // Another one on the same connection is not held up.
  const other = await transport.download(downloadOf(oid))
  for await (const piece of other.chunks) if (piece.length > 0) break
  assert.equal((await reader.next()).done, false)
  await reader.return?.()
})
