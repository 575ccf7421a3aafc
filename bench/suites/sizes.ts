/** The suite of large repositories: the cost of an item must not grow with their number. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient, type Repository } from '../../src/index.ts'
import { runGit } from '../contenders/git-drivers.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'

/** Runs git in the repository. */
type Git = (args: readonly string[], input?: string) => Promise<string>

/** One kind of large repository, and the work whose items are counted. */
interface Kind {
  readonly name: string
  readonly items: string
  readonly sizes: readonly number[]
  make(git: Git, size: number): Promise<unknown>
  /** Returns the number of items. */
  work(repository: Repository, size: number, gitDir: string): Promise<number>
}

const signature = (seconds: number) => `A <a@example.com> ${1_700_000_000 + seconds} +0000`
/** On top of the commit before, if there is one. */
const commit = (seconds: number) => `commit refs/heads/main\ncommitter ${signature(seconds)}\ndata 8\na commit\n`
const file = (path: string, content: string) => `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`
const number = (index: number) => String(index).padStart(7, '0')
const range = (size: number) => Array.from({ length: size }, (_, index) => index)
const usual = [1000, 10_000, 100_000]

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let found = 0
  for await (const _ of items) found++
  return found
}

const fastImport = (git: Git, input: readonly string[]) => git(['fast-import', '--quiet'], input.join(''))

const makeCommits = (git: Git, size: number) =>
  fastImport(
    git,
    range(size).map((index) => commit(index) + file(`f${index % 100}`, number(index)))
  )

/** Two commits, between which each file of one directory changes. */
async function makeDirectory(git: Git, size: number): Promise<void> {
  let parent: string[] = []
  for (const text of ['old', 'new']) {
    const blob = (await git(['hash-object', '-w', '--stdin'], text)).trim()
    const lines = range(size).map((index) => `100644 blob ${blob}\tf${number(index)}\n`)
    const tree = (await git(['mktree'], lines.join(''))).trim()
    const made = (await git(['commit-tree', tree, ...parent, '-m', text])).trim()
    await git(['update-ref', 'refs/heads/main', made])
    parent = ['-p', made]
  }
}

const kinds: readonly Kind[] = [
  {
    name: 'ListCommits of all',
    items: 'commits',
    sizes: usual,
    make: makeCommits,
    work: (repository) => count(repository.commits())
  },
  {
    name: 'git log of all',
    items: 'commits',
    sizes: usual,
    make: makeCommits,
    async work(_repository, size, gitDir) {
      await runGit([`--git-dir=${gitDir}`, 'log', 'main'])
      return size
    }
  },
  {
    name: 'ListRefs of all',
    items: 'refs',
    sizes: usual,
    make: (git, size) =>
      fastImport(git, [
        commit(0),
        ...range(size).map((index) => `reset refs/tags/t${number(index)}\nfrom refs/heads/main\n`)
      ]),
    work: (repository) => count(repository.refs({ prefix: 'refs/tags/' }))
  },
  {
    name: 'GetTree of one directory',
    items: 'files',
    sizes: usual,
    make: makeDirectory,
    work: async (repository) => (await repository.getTree()).entries.length
  },
  {
    name: 'Compare of changes in one directory',
    items: 'files',
    sizes: [...usual, 200_000],
    make: makeDirectory,
    work: (repository) => count(repository.changes({ base: 'main~', head: 'main' }))
  },
  {
    name: '100 getBlob by path in one directory',
    items: 'files',
    sizes: usual,
    make: makeDirectory,
    async work(repository, size) {
      const path = (index: number) => `f${number((index * size) / 100)}`
      await Promise.all(range(100).map((index) => repository.getBlob({ revision: 'main', path: path(index) })))
      return 100
    }
  },
  {
    name: 'a level of getBlob by a deep path',
    items: 'levels',
    sizes: [10, 100, 1000],
    make: (git, size) => fastImport(git, [commit(0), file(`${'d/'.repeat(size)}f`, 'deep')]),
    async work(repository, size) {
      await repository.getBlob({ revision: 'main', path: `${'d/'.repeat(size)}f` })
      return size
    }
  }
]

/** In MiB; 0 where the system does not tell. */
function peakOf(pid: number): number {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
  } catch {
    return 0
  }
}

function ofSize(kind: Kind, size: number): Contender {
  return {
    name: `${size.toLocaleString('en')} ${kind.items}`,
    async open() {
      const data = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const server = await startServerProcess('--store', 'git', '--data', data)
      const client = createClient({ endpoint: server.http.origin, transport: 'msgpack' })
      await client.createRepository('bench')
      const gitDir = join(data, 'bench.git')
      const settings = ['core.fsync=none', 'user.name=A', 'user.email=a@example.com'].flatMap((text) => ['-c', text])
      await kind.make((args, input) => runGit([...settings, `--git-dir=${gitDir}`, ...args], input), size)
      const repository = client.repository('bench')
      return {
        facts: () => ({ 'peak memory of the server, MiB': peakOf(server.pid) }),
        async run(durationMs) {
          const start = performance.now()
          let items = 0
          do items += await kind.work(repository, size, gitDir)
          while (performance.now() < start + durationMs)
          return ((performance.now() - start) * 1000) / items
        },
        async close() {
          await client.close()
          await server.stop()
          await rm(data, { recursive: true, force: true })
        }
      }
    }
  }
}

/** Whether listings and lookups cost more for each item where there are more items. */
export const sizes: Suite = {
  name: 'sizes',
  about: 'Listings and lookups in Git repositories with 1,000 to 100,000 commits, refs and files, and deep paths.',
  scenarios: ({ quick }) =>
    kinds.map((kind): Scenario => {
      const contenders = kind.sizes.slice(0, quick ? 2 : undefined).map((size) => ofSize(kind, size))
      const [baseline] = contenders
      return {
        ...{ suite: 'sizes', name: `${kind.name}, Git store, time for each`, unit: 'us', better: 'less' },
        ...{ baseline: baseline?.name ?? '', contenders }
      }
    })
}
