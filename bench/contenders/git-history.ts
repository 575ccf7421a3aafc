/** A history of small edits on the Git store, written through the API by one call for each commit. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { seededRandom } from '../../server-fixture/faults/random.ts'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { runGit } from './git-drivers.ts'

const author = { name: 'A', email: 'a@example.com' }
const fileCount = 200
const words = 'lorem ipsum dolor sit amet consectetur adipiscing elit function return const import class'.split(' ')

/** A server on a Git store in `directory`, and a client that writes. */
export async function openHistory(directory: string, housekeeping: 'on' | 'off') {
  const server = await startServerProcess('--store', 'git', '--data', directory, '--housekeeping', housekeeping)
  const client = createClient({ endpoint: server.http.origin, transport: 'msgpack' })
  await client.createRepository('bench')
  const random = seededRandom(1)
  const line = () => Array.from({ length: 8 }, () => words[Math.floor(random() * words.length)]).join(' ')
  const files = Array.from({ length: fileCount }, () => Array.from({ length: 60 }, line))
  const pathOf = (index: number) => `d${index % 10}/s${index % 4}/file${index}.txt`
  const all = Object.fromEntries(files.map((lines, index) => [pathOf(index), lines.join('\n')]))
  await client.commitFiles('bench', { branch: 'main', changes: all, message: 'first', author })
  return {
    gitDir: join(directory, 'bench.git'),
    pid: server.pid,
    /** One call: one line of one of 200 files is another one. */
    async commit(branch = 'main'): Promise<string> {
      const index = Math.floor(random() * fileCount)
      const lines = files[index] as string[]
      lines[Math.floor(random() * lines.length)] = line()
      const changes = { [pathOf(index)]: lines.join('\n') }
      return (await client.commitFiles('bench', { branch, changes, message: 'an edit', author })).oid
    },
    async close() {
      await client.close()
      await server.stop()
    }
  }
}

/** The packs of a repository, and the bytes of these and their indexes. */
export async function measurePacks(gitDir: string): Promise<{ packs: number; bytes: number }> {
  const directory = join(gitDir, 'objects', 'pack')
  const names = (await readdir(directory)).filter((name) => /\.(pack|idx)$/.test(name))
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0
      )
    )
  )
  return {
    packs: names.filter((name) => name.endsWith('.idx')).length,
    bytes: sizes.reduce((sum, size) => sum + size, 0)
  }
}

/** What `git gc --prune=now` makes of a copy of the repository. A local copy would take the `.keep` files along. */
export async function measureCollected(gitDir: string, copy: string): Promise<{ packs: number; bytes: number }> {
  await runGit(['clone', '--quiet', '--mirror', '--no-local', gitDir, copy])
  await runGit([`--git-dir=${copy}`, 'gc', '--quiet', '--prune=now'])
  return await measurePacks(copy)
}
