/** A gRPC server says in the trailer `grpc-retry-pushback-ms` whether and when to try again (gRFC A6). */
import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { type BlobwireError, type Client, createClient } from '../../src/index.ts'
import { startPeer } from '../support/http2-peer.ts'

interface Pushback {
  readonly client: Client
  /** When each attempt arrived, in milliseconds. */
  readonly arrivals: number[]
}

/** A client whose retries wait for nothing of its own, and a server that refuses each attempt with these trailers. */
async function refusing(context: TestContext, code: number, pushback?: string): Promise<Pushback> {
  const arrivals: number[] = []
  const peer = await startPeer(context, (stream) => {
    arrivals.push(performance.now())
    stream.respond(
      {
        ':status': 200,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        'grpc-status': `${code}`,
        'grpc-message': 'not now',
        ...(pushback === undefined ? {} : { 'grpc-retry-pushback-ms': pushback })
      },
      { endStream: true }
    )
  })
  const endpoint = peer.url.replace(/^http/, 'grpc')
  const retry = { maxAttempts: 3, baseMs: 0 }
  const client = createClient({ endpoint, transport: 'grpc', retry, breaker: false, batch: false, timeoutMs: 10_000 })
  context.after(() => client.close())
  return { client, arrivals }
}

const read = (client: Client) => client.getRepository('demo')

test('without it, an error is tried again by its code alone', async (context) => {
  const unavailable = await refusing(context, status.UNAVAILABLE)
  await assert.rejects(read(unavailable.client), { code: 'unavailable', retryable: true, attempts: 3 })
  const failed = await refusing(context, status.FAILED_PRECONDITION)
  await assert.rejects(read(failed.client), { code: 'failed_precondition', retryable: false, attempts: 1 })
})

test('a number: try again, whatever the code, and not before so many milliseconds', async (context) => {
  const { client, arrivals } = await refusing(context, status.FAILED_PRECONDITION, '150')
  await assert.rejects(read(client), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.retryable, error.attempts], ['failed_precondition', true, 3])
    assert.equal(error.details.retryAfterMs, 150)
    return true
  })
  // Node's timers may be a millisecond early.
  const gaps = arrivals.slice(1).map((atMs, index) => atMs - (arrivals[index] as number))
  assert.ok(gaps.length === 2 && gaps.every((ms) => ms >= 149), `${gaps}`)
  const atOnce = await refusing(context, status.ABORTED, '0')
  await assert.rejects(read(atOnce.client), { retryable: true, attempts: 3 })
})

for (const pushback of ['-1', '-150', 'soon', '1.5', '1e3', '150 ms']) {
  test(`"${pushback}" is below 0 or no number: do not try again, whatever the code`, async (context) => {
    const { client, arrivals } = await refusing(context, status.UNAVAILABLE, pushback)
    await assert.rejects(read(client), { code: 'unavailable', retryable: false, attempts: 1 })
    assert.equal(arrivals.length, 1)
  })
}
