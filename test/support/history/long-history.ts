/** A history like that of an old public project: branches, merges, an octopus, signed commits, tags, notes, odd objects. */
import type { ObjectFormat } from '../../../src/git/oid.ts'
import { randomNumbers } from '../random.ts'
import { Directory, treeBytes } from './directory.ts'
import type { History, ObjectPool } from './objects.ts'
import { HistoryWriter, type Sign, type State } from './writer.ts'

/** The history to make; the same options make the same objects. */
export interface HistoryOptions {
  /** Commits on branches; notes and other refs have a few more. */
  readonly commits: number
  /** @default 'sha1' */
  readonly format?: ObjectFormat
  /** @default signatures that only look like some */
  readonly sign?: Sign
  /** Content of one large file, in a commit of the branch `large`. @default there is none */
  readonly large?: Uint8Array
}

const directories = ['', 'src/', 'src/core/', 'src/net/http/', 'test/', 'docs/', 'docs/api/', 'vendor/lib/deep/er/']
const words = 'the quick brown fox jumps over a lazy dog while merges go on and on in branches of old trees'.split(' ')

/** A text that changes in one line with the revision. */
export function fileText(path: string, revision: number): string {
  const random = randomNumbers(path.length * 7919 + path.charCodeAt(path.length - 1))
  const lines = Array.from({ length: 10 + random(50) }, () => {
    return Array.from({ length: 4 + random(8) }, () => words[random(words.length)]).join(' ')
  })
  lines[revision % lines.length] = `revision ${revision} of ${path}`
  return `${lines.join('\n')}\n`
}

/** The entries that few trees have. */
function addRareEntries(pool: ObjectPool, tree: Directory): Directory {
  const submodule = pool.add('blob', '[submodule "lib"]\n\tpath = lib\n\turl = https://example.org/lib.git\n')
  const text = pool.add('blob', 'text\n')
  const old = new Directory(pool).with('a/b/file.txt', '100644', text).with('c/file.txt', '100664', text).padded()
  const twice = pool.add(
    'tree',
    treeBytes([
      ['name', '100644', text],
      ['name', '100644', submodule]
    ])
  )
  return tree
    .with('.gitmodules', '100644', submodule)
    .with('lib', '160000', '1'.repeat(pool.format === 'sha1' ? 40 : 64))
    .with('link', '120000', pool.add('blob', 'src/core'))
    .with('dangling', '120000', pool.add('blob', '../nowhere'))
    .with('run.sh', '100755', pool.add('blob', '#!/bin/sh\n'))
    .with('group-writable.txt', '100664', text)
    .with('caf\xe9.txt', '100644', text)
    .with('caf\xc3\xa9.txt', '100644', text)
    .with('quote"tab\tbackslash\\', '100644', text)
    .with('empty', '100644', pool.add('blob', ''))
    .with(
      'binary',
      '100644',
      pool.add(
        'blob',
        Uint8Array.from({ length: 3000 }, (_, index) => (index * 31) & 255)
      )
    )
    .with('sort.a', '100644', text)
    .with('sort/inside', '100644', text)
    .with('sort0', '100644', text)
    .with('padded', '40000', old)
    .with('padded-below/old', '40000', new Directory(pool).with('old', '40000', old).padded())
    .with('twice', '40000', twice)
    .with('no-files', '40000', pool.add('tree', ''))
}

/** The refs that the rest of the history adds. */
class Refs extends Map<string, string> {
  add(name: string, { commit }: State): void {
    if (commit !== undefined) this.set(name, commit)
  }
}

/** Makes a project's branches; `main` is the first. */
function makeBranches(writer: HistoryWriter, commits: number, refs: Refs): State {
  const { pool } = writer
  const random = randomNumbers(1)
  const edit = (tree: Directory, index: number): Directory => {
    const path = `${directories[random(directories.length)]}file${random(24)}.txt`
    return tree.with(path, '100644', pool.add('blob', fileText(path, index)))
  }
  let main = writer.commit(addRareEntries(pool, edit(new Directory(pool), 0)), [])
  let topics: State[] = []
  for (let index = 1; index < commits; index++) {
    if (topics.length === 4) {
      main = mergeOf(writer, [main, ...topics], index)
      topics = []
    } else if (index % 9 === 4 || index % 9 === 6) topics.push(writer.commit(edit(main.tree, index), [main.commit]))
    else if (index % 9 === 8 && topics.length > 0) {
      const topic = topics.shift() as State
      refs.add(`refs/pull/${index}/head`, topic)
      main = mergeOf(writer, [main, topic], index)
      refs.add(`refs/pull/${index}/merge`, main)
    } else if (topics.length > 0 && index % 3 === 0) {
      const topic = topics.pop() as State
      topics.push(writer.commit(edit(topic.tree, index), [topic.commit]))
    } else main = writer.commit(edit(edit(main.tree, index), index + 1), [main.commit])
    if (index % 50 === 49) tagRelease(writer, main, { refs, number: Math.floor(index / 50) })
  }
  for (const [index, topic] of topics.entries()) refs.add(`refs/heads/topic/${index}`, topic)
  return main
}

function mergeOf(writer: HistoryWriter, states: readonly State[], index: number): State {
  const [main, ...topics] = states as [State, ...State[]]
  const text = fileText('MERGES', index)
  const tree = main.tree.with('MERGES', '100644', writer.pool.add('blob', text))
  return writer.commit(tree, [main.commit, ...topics.map(({ commit }) => commit)], `Merge ${topics.length} topics\n`)
}

function tagRelease(writer: HistoryWriter, { commit = '' }: State, { refs, number }: { refs: Refs; number: number }) {
  const name = `v0.${number}`
  const tagger = number % 4 === 3 ? { tagger: '' } : {}
  refs.set(
    `refs/tags/${name}`,
    writer.tag(name, { oid: commit, kind: 'commit' }, { signed: number % 2 === 0, ...tagger })
  )
  refs.set(`refs/tags/light/${name}`, commit)
}

/** Notes on commits, flat and in fan-out directories. */
function makeNotes(writer: HistoryWriter, noted: readonly string[]): State {
  const { pool } = writer
  let notes: State = { commit: undefined, tree: new Directory(pool) }
  for (const [index, oid] of noted.entries()) {
    const path = index % 2 === 0 ? oid : `${oid.slice(0, 2)}/${oid.slice(2)}`
    const tree = notes.tree.with(path, '100644', pool.add('blob', `Reviewed, ${index}\n`))
    notes = writer.commit(tree, [notes.commit], "Notes added by 'git notes add'\n")
  }
  return notes
}

/** Refs of every kind besides branches, with objects of every kind. */
function addOtherRefs(writer: HistoryWriter, main: State, refs: Refs): void {
  const { pool } = writer
  const commit = main.commit as string
  const nested = writer.tag('inner', { oid: commit, kind: 'commit' }, { signed: true })
  refs.set('refs/tags/nested', writer.tag('nested', { oid: nested, kind: 'tag' }))
  const key = pool.add('blob', 'a public key\n')
  refs.set('refs/tags/key', key)
  refs.set('refs/tags/key-tag', writer.tag('key-tag', { oid: key, kind: 'blob' }, { tagger: '' }))
  refs.set('refs/tags/tree', main.tree.oid)
  refs.set('refs/tags/tree-tag', writer.tag('tree-tag', { oid: main.tree.oid, kind: 'tree' }))
  refs.add('refs/heads/b\xc3\xbccher/\xe6\x97\xa5\xe6\x9c\xac', main)
  refs.add('refs/heads/caf\xe9', main)
  refs.add('refs/changes/01/1/1', writer.commit(main.tree.without('run.sh'), [commit], 'For review\n'))
  refs.add('refs/replace/'.concat(commit), writer.commit(main.tree.without('link'), [], 'Replaced\n'))
  refs.add('refs/remotes/origin/main', main)
  refs.add('refs/original/refs/heads/main', main)
  const page = new Directory(pool).with('index.html', '100644', pool.add('blob', '<p>Pages</p>\n'))
  refs.add('refs/heads/gh-pages', writer.commit(page, [], 'Pages\n'))
  refs.add('refs/heads/empty', writer.commit(new Directory(pool), [], 'Nothing\n'))
  const notes = makeNotes(writer, [commit, key, nested])
  refs.add('refs/notes/commits', notes)
}

/** The history; the same options make the same objects. */
export function longHistory({ commits, format = 'sha1', sign, large }: HistoryOptions): History {
  const writer = new HistoryWriter(format, { ...(sign && { sign }), oddEvery: commits < 1000 ? 4 : 11 })
  const refs = new Refs()
  const main = makeBranches(writer, commits, refs)
  refs.add('refs/heads/main', main)
  addOtherRefs(writer, main, refs)
  if (large) {
    const tree = main.tree.with('assets/large.bin', '100644', writer.pool.add('blob', large))
    refs.add('refs/heads/large', writer.commit(tree, [main.commit], 'Large\n'))
  }
  return { format, objects: writer.pool.objects, refs, head: 'refs/heads/main', commits: writer.count }
}
