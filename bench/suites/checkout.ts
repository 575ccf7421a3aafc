/** The suite of reading a whole tree back into a directory, beside a clone. */
import { rmSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServerProcess } from '../../server-fixture/process.ts'
import { type ClientOptions, createClient } from '../../src/index.ts'
import { copyDependencyTree } from '../contenders/dependency-tree.ts'
import { runGit } from '../contenders/git-drivers.ts'
import type { Contender, Suite } from '../measure/scenario.ts'
import { startBenchServer } from '../servers/start.ts'

interface Reader {
  /** Writes the files of the repository `tree` into a new directory. */
  read(directory: string): Promise<unknown>
  close(): Promise<void>
}

/**
 * Each run is one checkout into a new directory; its time is the value. Directories are removed at the end: a file system
 * may take long to make files where it has just removed some. Then git looks at the last one.
 */
function reading(name: string, open: (data: string) => Promise<Reader>): Contender {
  return {
    name,
    async open() {
      const base = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const data = join(base, 'data')
      const { gitDir, oid, files } = await packedTree()
      await cp(gitDir, join(data, 'tree.git'), { recursive: true })
      const reader = await open(data)
      let runs = 0
      return {
        facts: () => ({ files }),
        async run() {
          const start = performance.now()
          await reader.read(join(base, `out-${++runs}`))
          return performance.now() - start
        },
        async close() {
          await reader.close()
          const found = await treeOf(join(base, `out-${runs}`), join(base, 'scratch.git'))
          await rm(base, { recursive: true, force: true })
          if (found !== oid) throw new Error(`the directory has the tree ${found}, not ${oid}`)
        }
      }
    }
  }
}

interface PackedTree {
  readonly gitDir: string
  readonly oid: string
  readonly files: number
}

let packed: Promise<PackedTree> | undefined

/** Made once in each process, and removed with it. */
function packedTree(): Promise<PackedTree> {
  packed ??= packTree()
  return packed
}

/** A bare repository with one commit of the dependency tree, packed as git packs it. */
async function packTree(): Promise<PackedTree> {
  const tree = await copyDependencyTree()
  try {
    return await packTreeOf(tree)
  } finally {
    await tree[Symbol.asyncDispose]()
  }
}

async function packTreeOf(tree: Awaited<ReturnType<typeof copyDependencyTree>>): Promise<PackedTree> {
  const base = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  process.once('exit', () => rmSync(base, { recursive: true, force: true }))
  const gitDir = join(base, 'packed.git')
  const git = `--git-dir=${gitDir}`
  await runGit(['init', '--quiet', '--bare', '--initial-branch=main', gitDir])
  await runGit([git, `--work-tree=${tree.directory}`, 'add', '--all', '--force', '.'])
  const oid = (await runGit([git, 'write-tree'])).trim()
  const author = ['-c', 'user.name=A', '-c', 'user.email=a@example.com']
  const commit = await runGit([...author, git, 'commit-tree', oid, '-m', 'all dependencies'])
  await runGit([git, 'update-ref', 'refs/heads/main', commit.trim()])
  await runGit([git, 'repack', '-a', '-d', '-q'])
  return { gitDir, oid, files: tree.files.length }
}

async function treeOf(directory: string, gitDir: string): Promise<string> {
  await runGit(['init', '--quiet', '--bare', gitDir])
  await rm(join(directory, '.git'), { recursive: true, force: true })
  await runGit([`--git-dir=${gitDir}`, `--work-tree=${directory}`, 'add', '--all', '--force', '.'])
  return (await runGit([`--git-dir=${gitDir}`, 'write-tree'])).trim()
}

function throughClient(options: Omit<ClientOptions, 'endpoint'>) {
  return async (data: string): Promise<Reader> => {
    const server = await startServerProcess('--store', 'git', '--data', data)
    const isGrpc = options.transport === 'grpc'
    const endpoint = isGrpc ? server.grpc.href.replace(/^http/, 'grpc') : server.http.origin
    const client = createClient({ endpoint, ...options })
    return {
      read: (directory) => client.repository('tree').checkout(directory),
      async close() {
        await client.close()
        await server.stop()
      }
    }
  }
}

async function cloneOverHttp(data: string): Promise<Reader> {
  const server = await startBenchServer('smart-http', data)
  const url = `http://127.0.0.1:${server.port}/tree.git`
  return { read: (directory) => runGit(['clone', '--quiet', url, directory]), close: () => server.stop() }
}

async function cloneOfDirectory(data: string): Promise<Reader> {
  const url = `file://${join(data, 'tree.git')}`
  return { read: (directory) => runGit(['clone', '--quiet', url, directory]), close: async () => undefined }
}

/** Contents are verified by their oids on both sides. */
export const checkout: Suite = {
  name: 'checkout',
  about: 'Some 8,000 files of the Git store into a new directory, beside git clone.',
  scenarios: () => [
    {
      suite: 'checkout',
      name: 'a dependency tree into a new directory',
      unit: 'ms',
      better: 'less',
      baseline: 'git clone, smart HTTP',
      contenders: [
        reading('client, MessagePack', throughClient({ transport: 'msgpack' })),
        reading('client, MessagePack, compressed', throughClient({ transport: 'msgpack', compression: 'always' })),
        reading('client, gRPC, uncompressed', throughClient({ transport: 'grpc', compression: 'none' })),
        reading('git clone, smart HTTP', cloneOverHttp),
        reading('git clone, file://', cloneOfDirectory)
      ]
    }
  ]
}
