/** Reading a source at the offsets that a server asks for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newHash } from '../../src/platform/hash.ts'
import { openSource } from '../../src/transfer/source.ts'
import { SourceReader } from '../../src/transfer/source-reader.ts'

async function* pieces(count: number) {
  for (let piece = 0; piece < count; piece++) yield new Uint8Array(300).fill(piece)
}

async function readerOf(count: number) {
  const source = await openSource(pieces(count))
  return new SourceReader(source, { chunkBytes: 300, keptBytes: 900, size: undefined, hash: newHash('sha1') })
}

test('bytes that the server may not hold are kept, whatever they take; others within the bound', async () => {
  const reader = await readerOf(20)
  for (let at = 0; at < 3000; at += 300) assert.equal((await reader.at(at))?.[0], at / 300)
  assert.equal((await reader.at(0))?.[0], 0, 'none is confirmed')
  reader.confirmedTo = 1200
  await reader.at(2700)
  assert.equal((await reader.at(1200))?.[0], 4)
  await assert.rejects(reader.at(900), { reason: 'source_used_up' })
  reader.confirmedTo = 6000
  for (let at = 3000; at < 6000; at += 300) await reader.at(at)
  assert.equal((await reader.at(5100))?.[0], 17)
  await assert.rejects(reader.at(4800), { reason: 'source_used_up' })
  assert.equal(await reader.at(6000), undefined)
  assert.equal(reader.size, 6000)
})

test('a position within a piece, and attempts that wait for the same piece', async () => {
  const reader = await readerOf(3)
  assert.equal((await reader.at(100))?.length, 200)
  const [one, other] = await Promise.all([reader.at(300), reader.at(450)])
  assert.deepEqual([one?.length, other?.length, one?.[0], other?.[0]], [300, 150, 1, 1])
  reader.close()
})
