/** Frames that are much smaller on the wire than in memory. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encode } from '@msgpack/msgpack'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { RawSession } from '../support/raw-session.ts'

test('a server reads compressed frames no faster than it decompresses them', async (context) => {
  const server = await startServerProcess()
  context.after(() => server.stop())
  const client = createClient({ endpoint: server.http.href })
  context.after(() => client.close())
  await client.createRepository('demo')
  const session = new RawSession(server.http.origin, { 'connect-content-encoding': 'gzip' })
  await session.received(1)
  // Above 16 KiB it is decompressed beside the event loop.
  const content = Buffer.concat([randomBytes(60_000), Buffer.alloc(3_000_000)])
  const frames = 600
  // An operation that is refused is answered too; the ids may then be used again.
  const plain = encode({ cancel: { ids: [1] }, padding: content })
  const compressed = gzipSync(plain, { level: 1 })
  assert.ok(compressed.length > 16 * 1024)
  for (let frame = 1; frame <= frames; frame++) {
    session.sendBytes(compressed, 1)
    session.sendBytes(
      encode({ batch: { repository: 'demo', firstId: frame, operations: [{ getCommit: { oid: '' } }] } })
    )
  }
  await new Promise<void>((resolve) => session.stream.write('', () => resolve()))
  const answered = session.messages.length - 1
  // The stream's window is 8 MiB, some 130 frames; the frames before it were read, and so have been answered.
  assert.ok(answered >= frames - 250, `${answered} of ${frames} when the last had been taken`)
})
