/** Guards of codecs, trees, names and listings that the properties hold. */
import type { Guard } from './guard.ts'

const trees = ['test/properties/trees.test.ts']
const names = ['test/properties/names.test.ts']
const codecs = ['test/properties/codecs.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a directory sorts as if its name ended in a slash',
    file: 'src/git/tree.ts',
    from: "item.mode === '040000' ? slash : 0",
    to: "item.mode === '040000' ? 0 : 0",
    tests: trees
  },
  {
    name: 'directories that end up empty vanish',
    file: 'server-fixture/service/tree-edit.ts',
    from: "content = oid === '' ? undefined : { mode: '040000', oid }",
    to: "content = { mode: '040000', oid: oid || '4b825dc642cb6eb9a060e54bf8d69288fbee4904' }",
    tests: trees
  },
  {
    name: 'a removal below a removed directory is of a path that is there',
    file: 'server-fixture/service/tree-edit.ts',
    from: 'if (node.remove && item !== undefined) await checkRemovals(workspace, { item, node, path })',
    to: '',
    tests: trees
  },
  {
    name: 'a file does not take the place of a directory that is left',
    file: 'server-fixture/service/tree-edit.ts',
    from: "if (content !== undefined && (content.mode === '040000') !== (node.put.mode === '040000')) {",
    to: 'if (content === null) {',
    tests: trees
  },
  {
    name: 'a directory does not take the name of a file that Git reads',
    file: 'src/git/path.ts',
    from: "index < segments.length - 1 ? modeProblem(segment, '040000') : undefined",
    to: 'undefined',
    tests: names
  },
  {
    name: 'the text behind a backslash is a name, too',
    file: 'src/git/dot-names.ts',
    from: 'if (ntfs.test(name.slice(at + 1))) return true',
    to: 'if (false) return true',
    tests: ['test/git/paths.test.ts']
  },
  {
    name: 'no segment of a ref ends with .lock',
    file: 'src/git/ref-name.ts',
    from: "if (segment.endsWith('.lock'))",
    to: "if (segment === '.lock')",
    tests: names
  },
  {
    name: 'MessagePack of another order is left to the complete reader',
    file: 'src/codec/msgpack-read.ts',
    from: 'if (remaining > 0) throw unusual',
    to: 'if (remaining > 99) throw unusual',
    tests: codecs
  },
  {
    name: 'integers of 64 bits are safe ones, or refused',
    file: 'src/codec/fields.ts',
    from: 'uint64: [0, Number.MAX_SAFE_INTEGER]',
    to: 'uint64: [0, Number.MAX_VALUE]',
    tests: codecs
  }
]
