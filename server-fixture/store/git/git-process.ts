import { type ChildProcess, spawn } from 'node:child_process'
import { type GitExit, gitFailure } from './git-failure.ts'
import { instanceMark, markVariable } from './orphans.ts'

/** Where a git process works. */
export interface GitPlace {
  /** The git program: a name looked up in PATH, or a path. */
  readonly program: string
  /** The bare repository; undefined = none. */
  readonly gitDir?: string | undefined
  /** Where new objects go instead of the repository's `objects`; nothing else is then seen. */
  readonly objectDirectory?: string | undefined
}

/**
 * What every git process is told, over what configuration files say. `core.fsync=all` hardens packs, their indexes and
 * refs (git-config(1), "core.fsync"); hooks and automatic maintenance never run.
 */
const configuration: Readonly<Record<string, string>> = {
  'core.fsync': 'all',
  'core.fsyncMethod': 'fsync',
  'core.hooksPath': '/dev/null',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'pack.threads': '1',
  'pack.writeReverseIndex': 'false',
  'advice.gitHooks': 'false'
}

/** Nothing of this process's own environment but the search path: a stray GIT_DIR or HOME must not change what git does. */
const baseEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  [markVariable]: instanceMark,
  GIT_CONFIG_COUNT: String(Object.keys(configuration).length)
}
for (const [index, [key, value]] of Object.entries(configuration).entries()) {
  baseEnvironment[`GIT_CONFIG_KEY_${index}`] = key
  baseEnvironment[`GIT_CONFIG_VALUE_${index}`] = value
}

/** As much of what git says on stderr as is kept, in characters. */
const maxStderrLength = 4096

/** A running git process whose failures never surface as uncaught errors; they are told by `exited`. */
export class GitProcess {
  /** How it ended. Never rejects. */
  readonly exited: Promise<GitExit>
  #child: ChildProcess | undefined
  #stderr = ''

  /**
   * @param args the command and its arguments, as git takes them
   * @param onOutput called with every chunk of standard output
   */
  constructor(place: GitPlace, args: readonly string[], onOutput: (chunk: Buffer) => void) {
    const env = { ...baseEnvironment }
    if (place.gitDir !== undefined) env['GIT_DIR'] = place.gitDir
    if (place.objectDirectory !== undefined) env['GIT_OBJECT_DIRECTORY'] = place.objectDirectory
    const { promise, resolve } = Promise.withResolvers<GitExit>()
    this.exited = promise
    try {
      const child = spawn(place.program, args, { env })
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

  /** Ends its standard input, after `input`; git's long-lived commands then finish what they were asked and exit. */
  end(input?: Uint8Array): void {
    if (input === undefined) this.#child?.stdin?.end()
    else this.#child?.stdin?.end(input)
  }
}

/** A git command that is given its input once and then runs to its end. It can be started before the input is there. */
export class GitCommand {
  readonly #place: GitPlace
  readonly #name: string
  readonly #chunks: Buffer[] = []
  readonly #git: GitProcess
  #ended = false

  constructor(place: GitPlace, args: readonly string[]) {
    this.#place = place
    this.#name = `git ${args[0]}`
    this.#git = new GitProcess(place, args, (chunk) => this.#chunks.push(chunk))
    void this.#git.exited.then(() => {
      this.#ended = true
    })
  }

  /** It is gone, without ever having had its input or after it. */
  get ended(): boolean {
    return this.#ended
  }

  /**
   * Gives it its input and returns what it writes to standard output.
   *
   * @throws `unavailable` or `internal`, see `gitFailure`
   */
  async finish(input?: Uint8Array): Promise<Buffer> {
    this.#git.end(input)
    const exit = await this.#git.exited
    if (exit.status !== 0) throw gitFailure(this.#name, exit, this.#place.gitDir)
    return Buffer.concat(this.#chunks)
  }

  /** Lets it go without input; resolves when it is gone. */
  async abandon(): Promise<void> {
    this.#git.end()
    await this.#git.exited
  }
}

/**
 * Runs git to its end and returns what it wrote to standard output.
 *
 * @throws `unavailable` or `internal`, see `gitFailure`
 */
export function runGit(place: GitPlace, args: readonly string[], input?: Uint8Array): Promise<Buffer> {
  return new GitCommand(place, args).finish(input)
}
