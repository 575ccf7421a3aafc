/** Runs git in a local repository. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { CommandError } from '../errors.ts'

/** A git command that failed; the message has its last words. */
export class GitError extends CommandError {}

/**
 * Git then shows the repository as it is stored: no `refs/replace`, no grafts, and no language but its own. A repository
 * that lacks objects is not completed from elsewhere.
 */
const environment = {
  ...process.env,
  // A hook of Git runs with the names of its own repository, which would take the place of the source.
  ...Object.fromEntries(
    [
      ...['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_NAMESPACE'],
      ...['GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_SHALLOW_FILE', 'GIT_QUARANTINE_PATH']
    ].map((name) => [name, undefined])
  ),
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_GRAFT_FILE: '/dev/null',
  GIT_NO_LAZY_FETCH: '1',
  LC_ALL: 'C'
}

/** Characters of a standard error that are kept: `fsck` may have much to tell. */
const maxErrors = 16 * 1024 * 1024

/** A running git process. */
export class GitProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #name: string
  readonly #exited: Promise<[code: number | null, signal: NodeJS.Signals | null]>
  #errors = ''

  constructor(directory: string, args: readonly string[]) {
    this.#name = `git ${args[0]}`
    this.#child = spawn('git', ['-C', directory, '-c', 'core.warnAmbiguousRefs=false', ...args], { env: environment })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-maxErrors)
    })
    // A git that has ended makes writes fail; its exit code and its words tell why.
    this.#child.stdin.on('error', () => {})
    this.#exited = once(this.#child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
    this.#exited.catch(() => {})
  }

  /** Its output, in chunks; git waits while they are not read. */
  get output(): AsyncIterable<Buffer> {
    return this.#child.stdout
  }

  /** What git has written to its standard error. */
  get errors(): string {
    return this.#errors
  }

  /** Resolves when there is room for more, or nobody reads. */
  async write(text: string | Uint8Array): Promise<void> {
    const { stdin } = this.#child
    if (stdin.write(text) || stdin.destroyed) return
    await Promise.race([once(stdin, 'drain'), this.#exited])
  }

  /** Ends its input. */
  end(): void {
    this.#child.stdin.end()
  }

  /** Waits for its end. @throws GitError unless it exits with one of the codes */
  async finish(allowed: readonly number[] = [0]): Promise<number> {
    const [code, signal] = await this.#exited.catch((error) => {
      throw new GitError(`${this.#name} cannot be started: ${error.message}`, { cause: error })
    })
    if (code !== null && allowed.includes(code)) return code
    throw new GitError(
      `${this.#name} ended with ${signal ?? code}: ${this.#errors.trim().slice(-2000) || 'it says nothing'}`
    )
  }
}

/** The lines of an output, without their ends, as latin1: a character is a byte. */
export async function* linesOf(output: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let rest = ''
  for await (const chunk of output) {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() as string
    yield* lines
  }
  if (rest !== '') yield rest
}

/** Runs git to its end. @throws GitError unless it exits with one of the codes */
export async function runGit(
  directory: string,
  args: readonly string[],
  allowed?: readonly number[]
): Promise<{ code: number; lines: string[]; errors: string }> {
  const git = new GitProcess(directory, args)
  git.end()
  const lines: string[] = []
  for await (const line of linesOf(git.output)) lines.push(line)
  return { code: await git.finish(allowed), lines, errors: git.errors }
}

/** The content of a blob, in chunks; git does not hold it as a whole. @throws GitError */
export async function* streamBlob(directory: string, oid: string): AsyncGenerator<Buffer, void> {
  const git = new GitProcess(directory, ['-c', 'core.bigFileThreshold=1m', 'cat-file', 'blob', oid])
  git.end()
  yield* git.output
  await git.finish()
}
