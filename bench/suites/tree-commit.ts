/** The suite of a large first commit: a dependency tree, durable on the Git store, beside what one would do with git. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { copyDependencyTree, type DependencyTree } from '../contenders/dependency-tree.ts'
import { runGit } from '../contenders/git-drivers.ts'
import type { Contender, Suite } from '../measure/scenario.ts'
import { startBenchServer } from '../servers/start.ts'

const author = { name: 'A', email: 'a@example.com' }

/** Commits the tree to a new repository, once. Returns the oid of the tree that was committed. */
type Commit = (repository: string) => Promise<string>

interface Committer {
  readonly commit: Commit
  /** Directory of the repository that was committed to. */
  gitDir(repository: string): string
  close(): Promise<void>
}

/** Each run is one commit; its time is the value. At the end, git checks the last repository. */
function committing(name: string, open: (tree: DependencyTree, data: string) => Promise<Committer>): Contender {
  return {
    name,
    async open() {
      const tree = await copyDependencyTree()
      const data = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const committer = await open(tree, data)
      let runs = 0
      return {
        facts: () => ({
          files: tree.files.length,
          MB: Math.round(tree.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e5) / 10
        }),
        async run() {
          const repository = `tree-${++runs}`
          const start = performance.now()
          const oid = await committer.commit(repository)
          const ms = performance.now() - start
          if (oid !== tree.oid) throw new Error(`the tree is ${oid}, not ${tree.oid}`)
          return ms
        },
        async close() {
          await runGit([`--git-dir=${committer.gitDir(`tree-${runs}`)}`, 'fsck', '--strict', '--no-progress'])
          await committer.close()
          await tree[Symbol.asyncDispose]()
          await rm(data, { recursive: true, force: true })
        }
      }
    }
  }
}

async function throughClient({ directory, files }: DependencyTree, data: string): Promise<Committer> {
  const server = await startServerProcess('--store', 'git', '--data', data)
  const client = createClient({ endpoint: server.http.origin, transport: 'msgpack' })
  return {
    gitDir: (repository) => join(data, `${repository}.git`),
    async commit(repository) {
      const target = client.repository(repository)
      await target.createRepository()
      const read = files.map(
        async ({ path, mode }) => [path, { content: await readFile(join(directory, path)), mode }] as const
      )
      const changes = Object.fromEntries(await Promise.all(read))
      return (await target.commitFiles({ branch: 'main', changes, message: 'all dependencies', author })).tree
    },
    async close() {
      await client.close()
      await server.stop()
    }
  }
}

async function throughGit({ directory }: DependencyTree, data: string): Promise<Committer> {
  const server = await startBenchServer('smart-http', data)
  const work = join(directory, '.git')
  const git = (...args: string[]) =>
    runGit([
      '-C',
      directory,
      '-c',
      'gc.auto=0',
      `-c`,
      `user.name=${author.name}`,
      '-c',
      `user.email=${author.email}`,
      ...args
    ])
  return {
    gitDir: (repository) => join(data, `${repository}.git`),
    async commit(repository) {
      await rm(work, { recursive: true, force: true })
      await runGit(['init', '--quiet', '--bare', join(data, `${repository}.git`)])
      await git('init', '--quiet', '--initial-branch=main')
      await git('add', '--all', '--force', '.')
      await git('commit', '--quiet', '--message=all dependencies')
      await git('push', '--quiet', `http://127.0.0.1:${server.port}/${repository}.git`, 'main')
      return (await runGit([`--git-dir=${join(data, `${repository}.git`)}`, 'rev-parse', 'main^{tree}'])).trim()
    },
    close: () => server.stop()
  }
}

/** Once durable: packs, indexes and refs are synced on both sides. */
export const treeCommit: Suite = {
  name: 'tree-commit',
  about: 'Some 8,000 files as one durable commit on the Git store, beside git add, commit and push over smart HTTP.',
  scenarios: () => [
    {
      suite: 'tree-commit',
      name: 'a dependency tree as one durable commit',
      unit: 'ms',
      better: 'less',
      baseline: 'git add, commit, push',
      contenders: [committing('client, commitFiles', throughClient), committing('git add, commit, push', throughGit)]
    }
  ]
}
