/** A git process that talks with a client: it is read as fast as the client reads, and ends with all that it has started. */
import { type ChildProcessByStdio, type StdioOptions, spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import type { Duplex, Readable, Writable } from 'node:stream'
import type { GitExit } from '../store/git/git-failure.ts'
import { environmentOf, type GitContext } from '../store/git/git-process.ts'

/** How a process is started. */
export interface ServiceProcessOptions {
  /** Git's configuration besides that of every process of the store. */
  readonly configuration?: Readonly<Record<string, string>>
  readonly variables?: NodeJS.ProcessEnv
  /** Whether the process and all that it starts have descriptor 3, of which the other end is `channel`. */
  readonly hasChannel?: boolean
}

/** Calls come first: packs are made of the time that they leave (setpriority(2)). */
const niceness = 10
const maxStderrLength = 4096
/** A process group is ended as a whole where the system has them. */
const hasGroups = process.platform !== 'win32'

type ServiceChild = ChildProcessByStdio<Writable, Readable, Readable>

export class ServiceProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  /** See `ServiceProcessOptions.hasChannel`. */
  readonly channel: Duplex | undefined
  /** How it ended, once its output is closed. Never rejects. */
  readonly exited: Promise<GitExit>
  readonly #child: ServiceChild
  #stderr = ''

  /** @throws Error where this process has run out of file descriptors or memory */
  constructor(context: GitContext, args: readonly string[], options: ServiceProcessOptions = {}) {
    const env = { ...environmentOf(context, options.configuration), ...options.variables }
    const channel = options.hasChannel ? ['pipe' as const] : []
    const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...channel]
    const child = spawn(context.program, args, { env, stdio, detached: hasGroups }) as ServiceChild
    this.#child = child
    this.channel = (child.stdio[3] as Duplex | null | undefined) ?? undefined
    this.stdin = child.stdin
    this.stdout = child.stdout
    const { promise, resolve } = Promise.withResolvers<GitExit>()
    this.exited = promise
    child.once('error', (error) => resolve({ status: null, signal: null, stderr: this.#stderr, error }))
    child.once('close', (status, signal) => resolve({ status, signal, stderr: this.#stderr }))
    // A process that died makes writes fail with EPIPE; `exited` tells why it died.
    child.stdin?.on('error', () => undefined)
    child.stdout?.on('error', () => undefined)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#stderr.length < maxStderrLength) this.#stderr += text.slice(0, maxStderrLength)
    })
    lowerPriority(child.pid)
  }

  /** Ends the process and its children at once. */
  kill(): void {
    const { pid, exitCode, signalCode } = this.#child
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    try {
      if (hasGroups) process.kill(-pid, 'SIGKILL')
      else this.#child.kill('SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, niceness)
  } catch {
    // It has ended already, or the system does not permit it.
  }
}
