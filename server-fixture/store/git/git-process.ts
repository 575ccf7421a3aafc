/** Runs the `git` program: long-lived processes and single commands. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { FileNames } from './file-names.ts'
import { type GitExit, gitFailure } from './git-failure.ts'

/** Environment variable by which the git processes of a killed server, and their children, are found. */
export const instanceVariable = 'BLOBWIRE_INSTANCE'

/** The id that this process gives to all its git processes. */
export const instanceId = randomBytes(8).toString('hex')

/** The context of a git process. */
export interface GitContext {
  /** The git program: a name looked up in PATH, or a path. */
  readonly program: string
  /** The bare repository; undefined = none. */
  readonly gitDir?: string | undefined
  /** Where new objects go instead of the repository's `objects`; git then sees no others. */
  readonly objectDirectory?: string | undefined
  /** An object directory from which git reads besides. */
  readonly alternates?: string | undefined
}

/** The context of git processes of one repository. */
export interface RepositoryContext extends GitContext {
  readonly gitDir: string
  /** @default exactNames */
  readonly fileNames?: FileNames
}

/**
 * Configuration of every git process; it overrides configuration files. `core.fsync=all` hardens packs, their indexes
 * and refs (git-config(1), "core.fsync"); hooks and automatic maintenance never run. A multi-pack-index that others write
 * while packs are joined may name packs that are gone, and Git then takes objects for missing that are in others. Larger
 * blobs than those of calls are streamed, and copied into other packs as they are: no memory is taken for them.
 */
const configuration: Readonly<Record<string, string>> = {
  'core.fsync': 'all',
  'core.fsyncMethod': 'fsync',
  'core.hooksPath': '/dev/null',
  'core.multiPackIndex': 'false',
  'core.bigFileThreshold': '1m',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'pack.threads': '1',
  'pack.packSizeLimit': '0',
  'pack.windowMemory': '64m',
  'pack.deltaCacheSize': '32m',
  'pack.writeReverseIndex': 'false',
  'advice.gitHooks': 'false'
}

/** Of this process's own environment, only the search path: a stray GIT_DIR or HOME must not change how git works. */
const baseEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  // Grafts hide parents that a commit names. Of a file that is there, even an empty one, git says that it is deprecated.
  GIT_GRAFT_FILE: '/dev/null/none',
  // A partial clone does not fetch what it lacks.
  GIT_NO_LAZY_FETCH: '1',
  [instanceVariable]: instanceId
}
Object.assign(baseEnvironment, configured(configuration))

/** Configuration as variables (git-config(1), GIT_CONFIG_COUNT). */
function configured(values: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { GIT_CONFIG_COUNT: String(Object.keys(values).length) }
  for (const [index, [key, value]] of Object.entries(values).entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key
    environment[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return environment
}

/** The environment of a git process. @param more configuration besides that of every process, which it overrides */
export function environmentOf(context: GitContext, more?: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env = { ...baseEnvironment, ...(more && configured({ ...configuration, ...more })) }
  if (context.gitDir !== undefined) env['GIT_DIR'] = context.gitDir
  if (context.objectDirectory !== undefined) env['GIT_OBJECT_DIRECTORY'] = context.objectDirectory
  if (context.alternates !== undefined) env['GIT_ALTERNATE_OBJECT_DIRECTORIES'] = context.alternates
  return env
}

/** Characters of git's standard error that are kept. */
const maxStderrLength = 4096

/** A running git process. Its failures are reported by `exited`, never as uncaught errors. */
export class GitProcess {
  /** How it ended. Never rejects. */
  readonly exited: Promise<GitExit>
  #child: ChildProcess | undefined
  #stderr = ''

  /**
   * @param args the command and its arguments, as git takes them
   * @param onOutput called with every chunk of standard output
   */
  constructor(context: GitContext, args: readonly string[], onOutput: (chunk: Buffer) => void) {
    const env = environmentOf(context)
    const { promise, resolve } = Promise.withResolvers<GitExit>()
    this.exited = promise
    try {
      const child = spawn(context.program, args, { env })
      this.#child = child
      child.once('error', (error) => resolve({ status: null, signal: null, stderr: this.#stderr, error }))
      child.once('close', (status, signal) => resolve({ status, signal, stderr: this.#stderr }))
      // A process that died makes writes fail with EPIPE; `exited` tells why it died. The streams are not there if this
      // process has run out of file descriptors.
      child.stdin?.on('error', () => {})
      child.stdout?.on('data', onOutput)
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        if (this.#stderr.length < maxStderrLength) this.#stderr += text.slice(0, maxStderrLength)
      })
    } catch (error) {
      resolve({ status: null, signal: null, stderr: '', error: error as Error })
    }
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Writes to its standard input, which is buffered without a bound. */
  write(input: string | Uint8Array): void {
    this.#child?.stdin?.write(input)
  }

  /** Ends its standard input; git's long-lived commands then answer all questions and exit. */
  end(): void {
    this.#child?.stdin?.end()
  }

  /** Reads no more of its standard output, which it then waits to write, until `resume`. */
  pause(): void {
    this.#child?.stdout?.pause()
  }

  resume(): void {
    this.#child?.stdout?.resume()
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child?.kill('SIGKILL')
  }
}

/** A git command that gets its input once and then runs to its end. It can be started before its input exists. */
export class GitCommand {
  readonly #context: GitContext
  readonly #name: string
  readonly #chunks: Buffer[] = []
  readonly #git: GitProcess
  #ended = false

  constructor(context: GitContext, args: readonly string[]) {
    this.#context = context
    this.#name = `git ${args[0]}`
    this.#git = new GitProcess(context, args, (chunk) => this.#chunks.push(chunk))
    void this.#git.exited.then(() => {
      this.#ended = true
    })
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#git.pid
  }

  /** The process has exited, with or without its input. */
  get ended(): boolean {
    return this.#ended
  }

  /**
   * Gives the command its input, in pieces, and returns its standard output.
   *
   * @throws `unavailable` or `internal`, see `gitFailure`
   */
  async finish(...input: readonly Uint8Array[]): Promise<Buffer> {
    for (const piece of input) this.#git.write(piece)
    this.#git.end()
    const exit = await this.#git.exited
    if (exit.status !== 0) throw gitFailure(this.#name, exit, this.#context.gitDir)
    return Buffer.concat(this.#chunks)
  }

  /** Ends the process at once; `finish` then rejects. */
  kill(): void {
    this.#git.kill()
  }

  /** Ends the process without input; resolves when it has exited. */
  async abandon(): Promise<void> {
    this.#git.end()
    await this.#git.exited
  }
}

/**
 * Runs git to its end and returns its standard output.
 *
 * @throws `unavailable` or `internal`, see `gitFailure`
 */
export function runGit(context: GitContext, args: readonly string[], input?: Uint8Array): Promise<Buffer> {
  return new GitCommand(context, args).finish(...(input ? [input] : []))
}
