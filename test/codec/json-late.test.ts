import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonCodec } from '../../src/codec/json.ts'

test('waiting contents are not copied, and become base64 when they are written', () => {
  for (const size of [0, 1, 4096, 4097, 100_000]) {
    const content = new Uint8Array(size).map((_, index) => index * 7919)
    const before = process.memoryUsage().heapUsed
    const waiting = Array.from({ length: 100 }, () => jsonCodec.prepareOperation('StoreBlobRequest', { content }))
    if (size === 100_000) assert.ok(process.memoryUsage().heapUsed - before < 4e6, 'no copies')
    const text = Buffer.concat(jsonCodec.write('StoreBlobRequest', waiting[0]?.wire ?? {}, 0)).toString()
    const written = (JSON.parse(text) as { content?: string }).content ?? ''
    assert.equal(written, Buffer.from(content).toString('base64'))
  }
})
