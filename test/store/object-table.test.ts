/** A table answers as a Map of the same objects does, however many there are and wherever their oids would begin. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ObjectTable, type TableObject } from '../../server-fixture/store/object-table.ts'
import { hashObject, type ObjectFormat, objectFormats, objectKinds } from '../../src/git/oid.ts'
import { randomNumbers } from '../support/random.ts'

/** A view in a larger buffer, as listeners give it. */
function contentOf(random: (below: number) => number, length: number): Uint8Array {
  const around = Uint8Array.from({ length: length * 3 + 8 }, () => random(256))
  return around.subarray(4, 4 + length)
}

function assertSame(table: ObjectTable, model: ReadonlyMap<string, TableObject>): void {
  assert.equal(table.size, model.size)
  for (const [oid, { kind, content }] of model) {
    const found = table.get(oid)
    assert.ok(found && Buffer.from(content as Uint8Array).equals(found.content as Uint8Array), oid)
    assert.equal(found.kind, kind)
  }
}

for (const format of objectFormats) {
  test(`objects of all kinds and sizes, some of them twice (${format})`, () => {
    const random = randomNumbers(5)
    const table = new ObjectTable(format)
    const model = new Map<string, TableObject>()
    for (let round = 0; round < 4000; round++) {
      const kind = objectKinds[random(objectKinds.length)] ?? 'blob'
      const content = contentOf(random, round % 500 === 0 ? 70_000 : random(round % 50 === 0 ? 40_000 : 60))
      const oid = hashObject(kind, content, format)
      assert.equal(table.get(oid) !== undefined, model.has(oid), oid)
      table.add(oid, { kind, content })
      table.add(oid, { kind, content })
      model.set(oid, { kind, content: content.slice() })
      if (content.length * 2 < content.buffer.byteLength) content.fill(0)
    }
    assertSame(table, model)
  })
}

/** Oids that begin with the same bits, and end in different ones. */
const alike = (format: ObjectFormat, bits: string, index: number) =>
  bits + index.toString(16).padStart((format === 'sha1' ? 40 : 64) - bits.length, '0')

test('oids that begin alike are told apart', () => {
  for (const format of objectFormats) {
    const table = new ObjectTable(format)
    const model = new Map<string, TableObject>()
    for (const bits of ['00000000', 'ffffffff', '80000000', 'deadbeef']) {
      for (let index = 0; index < 300; index++) {
        const object = { kind: 'blob', content: Buffer.from(`${bits} ${index}`) } as const
        table.add(alike(format, bits, index), object)
        model.set(alike(format, bits, index), object)
      }
      assert.equal(table.get(alike(format, bits, 300)), undefined)
    }
    assertSame(table, model)
  }
})

test('a large content that fills its buffer is kept, a small part of a large buffer is copied', () => {
  const table = new ObjectTable('sha1')
  const whole = new Uint8Array(100_000).fill(1)
  const part = new Uint8Array(1_000_000).subarray(10, 50_010)
  table.add('a'.repeat(40), { kind: 'blob', content: whole })
  table.add('b'.repeat(40), { kind: 'blob', content: part })
  assert.equal(table.get('a'.repeat(40))?.content, whole)
  const copied = table.get('b'.repeat(40))?.content
  assert.equal(copied?.length, 50_000)
  assert.equal((copied as Uint8Array).buffer.byteLength, 50_000)
})

test('a repository with a few objects takes a few kilobytes', () => {
  const before = process.memoryUsage().arrayBuffers
  const tables = Array.from({ length: 200 }, () => new ObjectTable('sha1'))
  for (const table of tables) table.add('c'.repeat(40), { kind: 'blob', content: Buffer.from('x') })
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 200 * 6000, `${grown} bytes for ${tables.length} tables`)
})
