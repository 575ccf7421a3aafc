/** Trees that Git reads although it would not write them: odd modes and names, names twice, entries out of order. */

import type { NewObject } from '../../server-fixture/store/store.ts'
import { canonicalMode } from '../../src/git/mode.ts'
import { hashObject, type ObjectFormat } from '../../src/git/oid.ts'
import { randomNumbers } from '../support/random.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')

/** UTF-8 and others: quotes, control characters, Latin-1, Shift-JIS, bytes of no encoding, long and forbidden names. */
const names: readonly Buffer[] = [
  ...['a', 'b', 'a.b', 'a-b', 'a0', 'é', '日本語', 'new\nline', 'quote"', 'tab\t', ' ', '\\', 'x'.repeat(300)].map(
    (name) => Buffer.from(name)
  ),
  ...['caf\xe9', '\x83e\x83X\x83g', '\xff\xfe', 'e\xcc', '\xc0\x80', '\xed\xa0\x80'].map(latin1),
  ...['.git', '.GITMODULES', 'a/q', 'b/'].map((name) => Buffer.from(name))
]

/** As texts in the object; most are Git's own. */
const modes = ['100644', '100755', '120000', '40000', '160000', '100644', '40000']
const oddModes = [
  '100664',
  '100611',
  '100600',
  '100775',
  '040000',
  '40755',
  '0100644',
  '120777',
  '160755',
  '0',
  '644',
  '00040000'
]

export interface OddTrees {
  readonly objects: readonly NewObject[]
  /** Oids of trees, each of which has one or more kinds of oddity. */
  readonly trees: readonly string[]
}

/** `count` trees, which hold earlier ones as subtrees. */
export function oddTrees(seed: number, count: number, format: ObjectFormat): OddTrees {
  const random = randomNumbers(seed)
  const pick = <Item>(items: readonly Item[]) => items[random(items.length)] as Item
  const objects: NewObject[] = []
  const add = (kind: NewObject['kind'], content: Uint8Array) => {
    const oid = hashObject(kind, content, format)
    objects.push({ oid, kind, content })
    return oid
  }
  const blobs = ['', 'one\n', 'two\n'].map((content) => add('blob', Buffer.from(content)))
  const trees = [add('tree', entry('100644', Buffer.from('inside'), blobs[1] as string))]
  const [file = '', inside = ''] = [blobs[1], trees[0]]
  // Names that hold a slash, behind a directory that could have them.
  const slashes = [
    ['40000', 'a', inside],
    ['40000', 'a/t', inside],
    ['100644', 'a/z', file],
    ['100644', 'b', file]
  ] as const
  trees.push(add('tree', Buffer.concat(slashes.map(([mode, name, oid]) => entry(mode, Buffer.from(name), oid)))))
  const submodule = 'ab'.repeat(format === 'sha1' ? 20 : 32)
  for (let index = 0; index < count; index++) {
    const isOdd = random(3) > 0
    const entries = Array.from({ length: random(9) }, () => {
      const mode = isOdd && random(2) === 0 ? pick(oddModes) : pick(modes)
      const kind = canonicalMode(mode)
      const oid = kind === '040000' ? pick(trees.slice(-3)) : kind === '160000' ? submodule : pick(blobs)
      return { name: pick(names), mode, isTree: kind === '040000', oid }
    })
    if (random(3) > 0) entries.sort((left, right) => Buffer.compare(sortKey(left), sortKey(right)))
    trees.push(add('tree', Buffer.concat(entries.map(({ mode, name, oid }) => entry(mode, name, oid)))))
  }
  return { objects, trees }
}

/** By its bytes, entries are in Git's order. */
export const sortKey = ({ name, isTree }: { name: Buffer; isTree: boolean }) =>
  isTree ? Buffer.concat([name, Buffer.from('/')]) : name

/** An entry in the bytes of a tree. */
export function entry(mode: string, name: Uint8Array, oid: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} `), name, Buffer.alloc(1), Buffer.from(oid, 'hex')])
}
