/** Parsed trees, against the plain parser. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ParsedTree } from '../../server-fixture/service/parsed-tree.ts'
import type { ObjectFormat } from '../../src/git/oid.ts'
import { encodeTree, modesOf, parseTree, type TreeItem } from '../../src/git/tree.ts'
import { randomNumbers } from '../support/random.ts'

const random = randomNumbers(11)
const modes = ['100644', '100755', '120000', '40000', '160000', '100664', '040000', '40755', '644', '0', '00120777']

function randomItems(format: ObjectFormat): TreeItem[] {
  const digits = format === 'sha1' ? 40 : 64
  const names = new Set(
    Array.from({ length: random(40) }, () =>
      ['a', 'b', '.', '-', 'é', '0']
        .slice(0, 1 + random(6))
        .slice(random(3))
        .join('')
    )
  )
  names.delete('')
  return [...names].map((name) => {
    const oid = Array.from({ length: digits }, () => random(16).toString(16)).join('')
    return { name: Buffer.from(name), ...modesOf(modes[random(modes.length)] ?? ''), oid }
  })
}

const plain = (items: readonly TreeItem[]) =>
  items.map(({ name, mode, rawMode, oid }) => `${mode} ${rawMode} ${oid} ${Buffer.from(name).toString('latin1')}`)

for (const format of ['sha1', 'sha256'] as const) {
  test(`a parsed tree has the entries of the object, finds each, and knows their order, ${format}`, () => {
    for (let round = 0; round < 300; round++) {
      const content = encodeTree(randomItems(format), format)
      const items = parseTree(content, format)
      const tree = new ParsedTree(content, format)
      assert.deepEqual(plain(tree.items()), plain(items))
      assert.equal(tree.inOrder(), tree)
      for (const [index, item] of items.entries()) {
        assert.deepEqual(plain([tree.find(item.name) as TreeItem]), plain([item]))
        assert.equal(tree.isTree(index), item.mode === '040000')
        for (const other of items.keys())
          assert.equal(Math.sign(tree.compare(index, tree, other)), Math.sign(index - other))
      }
      for (const name of ['absent', 'a.', 'aa', '', 'é0']) {
        assert.equal(
          tree.find(Buffer.from(name)),
          items.find((item) => Buffer.from(name).equals(item.name))
        )
      }
    }
  })
}

test('of a tree that Git would not write, each name counts once, in order', () => {
  const entry = (mode: string, name: string, byte: number) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.alloc(20, byte)])
  // Out of order, `b` twice, and a directory whose mode has six digits as in old trees.
  const content = Buffer.concat([
    entry('100644', 'b', 1),
    entry('100644', 'a.b', 2),
    entry('040000', 'a', 3),
    entry('100755', 'b', 4)
  ])
  const tree = new ParsedTree(content, 'sha1')
  const names = (of: ParsedTree) => of.items().map(({ name, mode, oid }) => `${mode} ${Buffer.from(name)} ${oid[1]}`)
  assert.deepEqual(names(tree), ['100644 b 1', '100644 a.b 2', '040000 a 3', '100755 b 4'])
  assert.deepEqual(names(tree.inOrder()), ['100644 a.b 2', '040000 a 3', '100644 b 1'])
  assert.equal(tree.find(Buffer.from('b'))?.mode, '100644')
  assert.equal(tree.find(Buffer.from('a'))?.mode, '040000')
})

test('bytes that are no tree are damage', () => {
  const good = encodeTree([{ name: Buffer.from('abc'), mode: '100644', oid: 'a'.repeat(40) }], 'sha1')
  for (let length = 1; length < good.length; length++) {
    assert.throws(() => new ParsedTree(good.subarray(0, length), 'sha1'), { code: 'data_loss', reason: 'integrity' })
  }
  for (const head of ['9 a\0', '10064x a\0', '100644 \0', '108644 a\0', ' a\0']) {
    assert.throws(() => new ParsedTree(Buffer.from(head.padEnd(60)), 'sha1'), { code: 'data_loss' }, head)
  }
})
