/** Guards of reading: trees, commits and paths as Git reads them, and edits that change what they name. */
import type { Guard } from './guard.ts'

const trees = ['test/git-judge/trees.test.ts']
const edits = ['test/git-judge/edits.test.ts']
const commits = ['test/git-judge/commits.test.ts']
const paths = ['test/git-judge/raw-paths.test.ts']
const walk = 'server-fixture/service/tree-path.ts'
const edit = 'server-fixture/service/tree-edit.ts'
const parser = 'src/git/commit.ts'
const rawPath = 'src/git/raw-path.ts'

export const guards: readonly Guard[] = [
  {
    name: 'modes are those that Git reads',
    file: 'src/git/mode.ts',
    from: "if (type === 0o100000) return (bits & 0o100) === 0 ? '100644' : '100755'",
    to: "if (type === 0o100000) return (bits & 0o111) === 0 ? '100644' : '100755'",
    tests: ['test/git-judge/trees.test.ts']
  },
  {
    name: 'a mode that Git does not write is told with its text',
    file: walk,
    from: "rawMode: item.rawMode ?? ''",
    to: "rawMode: ''",
    tests: trees
  },
  {
    name: 'a mode is what its text in the tree says',
    file: 'src/git/tree.ts',
    from: 'canonicalMode(text) === mode',
    to: 'mode.length > 0',
    tests: ['test/client/integrity.test.ts']
  },
  {
    name: 'of a name that stands twice, the first is found',
    file: 'server-fixture/service/parsed-tree.ts',
    from: 'for (let index = 0; index < this.length; index++) {\n      const at = this.#nameAt(index)',
    to: 'for (let index = this.length - 1; index >= 0; index--) {\n      const at = this.#nameAt(index)',
    tests: trees
  },
  {
    name: 'names that hold a slash are found',
    file: walk,
    from: 'if (found === undefined && slashes++ < maxSlashes) continue',
    to: 'if (found === undefined || slashes++ > maxSlashes) return undefined',
    tests: trees
  },
  {
    name: 'not every beginning of a long path is looked up',
    file: walk,
    from: 'const maxSlashes = 16',
    to: 'const maxSlashes = Infinity',
    tests: paths,
    mayHang: true
  },
  {
    name: 'entries that belong to the directory above are no damage',
    file: 'src/client/verify/tree.ts',
    from: 'const maxMisplaced = 100',
    to: 'const maxMisplaced = 0',
    tests: trees
  },
  {
    name: 'a tree in which nothing changes stays the same',
    file: edit,
    from: 'return isChanged ? workspace.stageTree([...items.values()]) : tree',
    to: 'return isChanged || !isChanged ? workspace.stageTree([...items.values()]) : tree',
    tests: edits
  },
  {
    name: 'of a name that stands twice, an edit keeps the first',
    file: edit,
    from: 'if (!items.has(key)) items.set(key, item)',
    to: 'items.set(key, item)',
    tests: edits
  },
  {
    name: 'entries that an edit does not name keep their modes',
    file: 'src/git/tree.ts',
    from: '`${rawMode ?? textOfMode(mode)} `',
    to: '`${textOfMode(mode)} `',
    tests: edits
  },
  {
    name: 'what no new tree may have can be removed',
    file: edit,
    from: 'const mayBeThere = put === undefined && ',
    to: 'const mayBeThere = false && ',
    tests: edits
  },
  {
    name: 'history is ordered by the date that Git reads',
    file: 'server-fixture/service/commit-walk.ts',
    from: '#add({ oid, date }: ReadCommit): void {',
    to: '#add({ oid, committer: { timeSeconds: date } }: ReadCommit): void {',
    tests: commits
  },
  {
    name: 'dates before 1970 overflow',
    file: parser,
    from: "return sign === '-' && seconds > 0 ? maxDate - seconds : seconds",
    to: "return sign === '-' && seconds > 0 ? 0 : seconds",
    tests: commits
  },
  {
    name: 'a date that is none is 1970',
    file: 'src/git/signature.ts',
    from: "if (digits === '' || !Number.isSafeInteger(timeSeconds)) return",
    to: "if (digits === '') return",
    tests: commits
  },
  {
    name: 'zones of another length are those that Git shows',
    file: 'src/git/signature.ts',
    from: 'zoneForm.test(zone) ? zone : shownZone(Number(zone))',
    to: "zoneForm.test(zone) ? zone : '+0000'",
    tests: commits
  },
  {
    name: 'texts are decoded as the commit says',
    file: parser,
    from: "const decoded = encoding === '' ? undefined : decodeText(bytes, encoding)",
    to: 'const decoded = decodeText(bytes, "utf-8")',
    tests: commits
  },
  {
    name: 'a label of ISO 8859-1 is not windows-1252',
    file: 'src/git/text-encoding.ts',
    from: 'if (latin1.test(name)) return decodeLatin1(bytes)\n',
    to: '',
    tests: commits
  },
  {
    name: 'bytes that are no text of the encoding are not decoded',
    file: 'src/git/text-encoding.ts',
    from: '{ fatal: true, ignoreBOM: true }',
    to: '{ ignoreBOM: true }',
    tests: commits
  },
  {
    name: 'the bytes of a path have precedence over its text',
    file: rawPath,
    from: 'if (rawPath !== undefined && rawPath.length > 0) return decodeLatin1(toNative(rawPath))\n',
    to: '',
    tests: paths
  },
  {
    name: 'names that are not UTF-8 end at the first byte that is not, for the rules',
    file: rawPath,
    from: ".replaceAll('\\ufffd', '\\uffff')",
    to: '',
    tests: paths
  },
  {
    name: 'messages show paths that are not UTF-8 by their bytes',
    file: rawPath,
    from: 'return quoted.replace(/[\\x7f-\\xff]/g, (byte) => `\\\\x${byte.charCodeAt(0).toString(16)}`)',
    to: 'return quoted',
    tests: paths
  },
  {
    name: 'a source that is not UTF-8 is moved',
    file: 'src/client/changes.ts',
    from: 'return rawPath === undefined ? { moveFrom: path } : { rawMoveFrom: rawPath }',
    to: 'return rawPath === undefined ? { moveFrom: path } : { moveFrom: path }',
    tests: paths
  },
  {
    name: 'entries of a listing are stored under their bytes',
    file: 'src/client/other-requests.ts',
    from: '...pathFields(rawPath?.length ? rawPath : path)',
    to: '...pathFields(path)',
    tests: paths
  },
  {
    name: 'paths that are given as bytes are copied',
    file: 'src/client/take.ts',
    from: 'if (value instanceof Uint8Array && !isGone(value)) return new Uint8Array(value)',
    to: 'if (value instanceof Uint8Array && !isGone(value)) return value',
    tests: paths
  }
]
