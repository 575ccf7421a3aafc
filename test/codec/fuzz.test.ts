/** 100,000 damaged messages for each codec: typed errors or sound messages, quickly, and nothing wrong passes as verified. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { verifierOf } from '../../src/client/verify/answers.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { decodeProtobuf, encodeProtobuf } from '../../src/codec/protobuf.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { randomNumbers } from '../support/random.ts'
import { startCpuClock } from '../support/until.ts'

const cases = 100_000
/** The clock is read after so many, as reading it costs as much as a case. */
const perReading = 100
/** Of so many cases, and so of each; the bound of 50 ms with slack for a machine that does other things as well. */
const maxMs = 500

interface Subject {
  readonly name: string
  readonly encode: (message: Messages['GetBlobResponse']) => Uint8Array
  readonly decode: (bytes: Uint8Array) => Messages['GetBlobResponse']
}

const subjects: Subject[] = [
  ...[jsonCodec, msgpackCodec].map((codec) => ({
    name: codec.name,
    encode: (message: Messages['GetBlobResponse']) => codec.encode('GetBlobResponse', message),
    decode: (bytes: Uint8Array) => codec.decode('GetBlobResponse', bytes)
  })),
  {
    name: 'protobuf',
    encode: (message) => encodeProtobuf('GetBlobResponse', message),
    decode: (bytes) => decodeProtobuf('GetBlobResponse', bytes)
  }
]

const content = Buffer.from('all work and no play makes Jack a dull boy\n')
const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

/** A few bytes changed, inserted or taken away, or the end cut off. */
function damage(sound: Uint8Array, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(sound)
  for (let count = random(3); count >= 0; count--) {
    const at = random(bytes.length + 1)
    const kind = random(6)
    if (kind < 3) bytes[Math.min(at, bytes.length - 1)] = random(256)
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(random(256)), bytes.subarray(at)])
    else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(4))])
    else bytes = Buffer.from(bytes.subarray(0, at))
  }
  return bytes
}

for (const { name, encode, decode } of subjects) {
  test(`${name}: ${cases} damaged answers`, () => {
    const random = randomNumbers(20_260)
    const sound = encode({ oid, size: content.length, content })
    const before = process.memoryUsage.rss()
    const counts = { refused: 0, found: 0, passed: 0 }
    let slowest = 0
    let cpuMs = startCpuClock()
    for (let round = 0; round < cases; round++) {
      const bytes = damage(sound, random)
      if (round % perReading === 0) {
        slowest = Math.max(slowest, cpuMs())
        cpuMs = startCpuClock()
      }
      let answer: Messages['GetBlobResponse'] | undefined
      try {
        answer = decode(bytes)
      } catch (error) {
        if (!(error instanceof BlobwireError)) throw error
        counts.refused++
      }
      if (answer === undefined) continue
      try {
        verifierOf('getBlob', true)?.({ oid }, answer)
      } catch (error) {
        if (!(error instanceof BlobwireError)) throw error
        counts.found++
        continue
      }
      // An answer that passes is the content that was asked for, whatever the damage.
      assert.deepEqual([answer.oid, answer.size, Buffer.from(answer.content)], [oid, content.length, content])
      counts.passed++
    }
    assert.ok(counts.refused > 1000 && counts.found > 100, JSON.stringify(counts))
    assert.ok(slowest < maxMs, `${slowest} ms for ${perReading} cases`)
    assert.ok(process.memoryUsage.rss() - before < 128 * 1024 * 1024)
  })
}
