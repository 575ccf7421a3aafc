import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { GitStore } from '../server-fixture/store/git/git-store.ts'
import { hashObject } from '../src/git/oid.ts'

/** One way to store small blobs durably in a Git repository. */
export interface BlobDriver {
  /** As it is printed. */
  readonly name: string
  /** Blobs stored at the same time at most; fewer than the writers where more would be slower. */
  readonly maxConcurrent: number
  /** The repository that the blobs end up in. */
  readonly gitDir: string
  /** Stores a blob and returns its oid once it is durable. */
  store(content: Uint8Array): Promise<string>
  close(): Promise<void>
}

const repository = 'bench'

/** The Git store, called directly: oid computed here, as the server does for every blob it is sent. */
export async function openStoreDriver(directory: string, options: { packsInFlight: number }): Promise<BlobDriver> {
  const store = await GitStore.open(directory, options)
  await store.createRepository(repository, 'sha1')
  return {
    name: 'GitStore',
    maxConcurrent: Number.POSITIVE_INFINITY,
    gitDir: join(directory, `${repository}.git`),
    async store(content) {
      const oid = hashObject('blob', content, 'sha1')
      await store.putObjects(repository, [{ oid, kind: 'blob', content }])
      return oid
    },
    close: () => store.close()
  }
}

/** More processes than this at a time made it slower on two cores. */
const maxProcesses = 8

/** The plain alternative: one `git hash-object -w` for each blob, with the same fsync setting. */
export async function openHashObjectDriver(directory: string): Promise<BlobDriver> {
  const gitDir = join(directory, `${repository}.git`)
  await runGit(['init', '--quiet', '--bare', gitDir])
  return {
    name: 'git hash-object -w',
    maxConcurrent: maxProcesses,
    gitDir,
    async store(content) {
      const fsync = ['-c', 'core.fsync=all', '-c', 'core.fsyncMethod=fsync']
      const output = await runGit([...fsync, `--git-dir=${gitDir}`, 'hash-object', '-w', '--stdin'], content)
      return output.trim()
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
    child.stdin.end(input)
  })
}
