/** Messages of uploads that have begun and do not end: what has come of them is in the budget of the server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { http2Request, transferServer } from '../support/transfers.ts'
import { until } from '../support/until.ts'

const messageBytes = 1024 * 1024

test('unfinished messages of many streams hold no more than the budget', async (context) => {
  const limits = {
    chunkBytes: 16 * 1024,
    maxBatchBytes: messageBytes,
    maxConnectionInFlightBytes: 4 * messageBytes,
    maxInFlightBytes: 8 * messageBytes
  }
  const { connectHttp2 } = await transferServer(context, { limits })
  const session = connectHttp2()
  const streams = 12
  const head = Buffer.from([0, ...new Uint8Array(Uint32Array.of(messageBytes).buffer).reverse()])
  const sent = Buffer.concat([head, Buffer.alloc(messageBytes - 1000)])
  let refused = 0
  const requests = Array.from({ length: streams }, () => {
    const { stream, answer } = http2Request(session, {
      ':method': 'POST',
      ':path': '/blobwire.v1.VcsService/UploadBlob',
      'content-type': 'application/connect+json'
    })
    stream.write(sent)
    stream.on('data', (chunk: Buffer) => {
      if (chunk.includes('connection_full')) refused++
    })
    return { stream, answer }
  })
  await until(() => refused >= streams - 4, 'the others are refused')
  assert.ok(refused < streams, 'those within the budget are waited for')
  for (const { stream } of requests) stream.close()
  await Promise.all(requests.map(({ answer }) => answer))
})
