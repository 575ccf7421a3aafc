/** A history of another shape: thousands of refs, hundreds of directories, one directory of many files, a deep path. */
import { Directory } from './directory.ts'
import { fileText, type HistoryOptions } from './long-history.ts'
import type { History } from './objects.ts'
import { HistoryWriter, type State } from './writer.ts'

const deepPath = `${Array.from({ length: 60 }, (_, index) => `d${index}`).join('/')}/bottom.txt`

/** The history; the same options make the same objects. */
export function wideHistory({ commits, format = 'sha1', sign }: HistoryOptions): History {
  const writer = new HistoryWriter(format, sign ? { sign } : {})
  const { pool } = writer
  const refs = new Map<string, string>()
  let tree = new Directory(pool).with(deepPath, '100644', pool.add('blob', 'deep\n'))
  const same = pool.add('blob', 'the same in many places\n')
  const width = Math.min(30, Math.ceil(commits / 4))
  for (let index = 0; index < width * width; index++) {
    tree = tree.with(`area${index % width}/part${Math.floor(index / width)}/README`, '100644', same)
  }
  let main: State = writer.commit(tree, [])
  for (let index = 1; index < commits; index++) {
    const part = `area${(index * 7) % width}/part${(index * 13) % width}/file${index % 5}.txt`
    // Every file comes twice, so that a content, and a directory, is in many places.
    const path = index % 50 === 0 ? deepPath : index % 2 === 0 ? part : `many/file${index % 1000}.txt`
    const next = main.tree.with(path, '100644', pool.add('blob', fileText(path, index >> 1)))
    const side = index % 20 === 19 ? [writer.commit(next, [main.commit]).commit] : []
    main = writer.commit(next, [main.commit, ...side])
    const commit = main.commit as string
    refs.set(`refs/heads/feature/${index % 100}/${index}`, commit)
    if (index % 2 === 0) refs.set(`refs/keep/${commit.slice(0, 2)}/${commit}`, commit)
  }
  refs.set('refs/heads/trunk', main.commit as string)
  return { format, objects: pool.objects, refs, head: 'refs/heads/trunk', commits: writer.count }
}
