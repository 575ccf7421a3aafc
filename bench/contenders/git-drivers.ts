/** Contenders that store blobs durably in a Git repository. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { startServerProcess } from '../../server-fixture/process.ts'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { hashObject } from '../../src/git/oid.ts'
import { createClient } from '../../src/index.ts'

/** One way to store small blobs durably in a Git repository. */
export interface BlobDriver {
  /** Most concurrent calls of `store`; fewer than the writers where more would be slower. */
  readonly maxConcurrent: number
  /** Directory of the repository. */
  readonly gitDir: string
  /** Blobs in one call of `store`. */
  readonly blobsPerCall: number
  /** Stores blobs and returns their oids once they are durable. */
  store(contents: readonly Uint8Array[]): Promise<string[]>
  close(): Promise<void>
}

const repository = 'bench'

/** The Git store, called directly; the oid is computed here, as the server does for every blob. */
export async function openStoreDriver(directory: string): Promise<BlobDriver> {
  const store = await GitStore.open(directory)
  await store.createRepository(repository, 'sha1')
  return {
    maxConcurrent: Number.POSITIVE_INFINITY,
    blobsPerCall: 1,
    gitDir: join(directory, `${repository}.git`),
    async store(contents) {
      const objects = contents.map((content) => {
        return { oid: hashObject('blob', content, 'sha1'), kind: 'blob', content } as const
      })
      await store.putObjects(repository, objects)
      return objects.map(({ oid }) => oid)
    },
    close: () => store.close()
  }
}

/**
 * Client, MessagePack over HTTP/2, and a server with a Git store in a process of its own. A call with one blob is
 * `storeBlob`, a call with more is `batch`.
 */
export async function openServiceDriver(directory: string, blobsPerCall: number): Promise<BlobDriver> {
  const server = await startServerProcess('--store', 'git', '--data', directory)
  const client = createClient({ endpoint: server.http.origin, transport: 'msgpack' })
  const target = client.repository(repository)
  await target.createRepository()
  return {
    maxConcurrent: Number.POSITIVE_INFINITY,
    blobsPerCall,
    gitDir: join(directory, `${repository}.git`),
    async store(contents) {
      const [first] = contents
      if (contents.length === 1 && first) return [(await target.storeBlob(first)).oid]
      const results = await target.batch(contents.map((content) => ({ storeBlob: { content } })))
      return results.map((result) => {
        if (result.ok) return result.value.oid
        throw result.error
      })
    },
    async close() {
      await client.close()
      await server.stop()
    }
  }
}

/** Concurrent processes; more of them were slower on two cores. */
const maxProcesses = 8

/** The simple alternative: one `git hash-object -w` for each blob, with the same fsync setting. */
export async function openHashObjectDriver(directory: string): Promise<BlobDriver> {
  const gitDir = join(directory, `${repository}.git`)
  await runGit(['init', '--quiet', '--bare', gitDir])
  return {
    maxConcurrent: maxProcesses,
    blobsPerCall: 1,
    gitDir,
    store(contents) {
      const fsync = ['-c', 'core.fsync=all', '-c', 'core.fsyncMethod=fsync']
      const command = [...fsync, `--git-dir=${gitDir}`, 'hash-object', '-w', '--stdin']
      return Promise.all(contents.map(async (content) => (await runGit(command, content)).trim()))
    },
    close: async () => {}
  }
}

/**
 * Runs git once and returns its standard output.
 *
 * @throws an Error if it does not exit with 0
 */
export function runGit(args: readonly string[], input: Uint8Array | string = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stdin.on('error', reject)
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) resolve(Buffer.concat(chunks).toString('utf8'))
      else reject(new Error(`git ${args.join(' ')} ended with ${status}`))
    })
    // Commands without input may have ended already.
    if (input.length > 0) child.stdin.end(input)
    else child.stdin.end()
  })
}
