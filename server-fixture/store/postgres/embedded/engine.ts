/** The database as a process of its own, which ends with the process that started it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Binaries, findBinaries } from './binaries.ts'
import { copyTemplate } from './data-directory.ts'
import { giveToOwner, owner } from './owner.ts'

/** A running engine. */
export interface Engine {
  /** Of its database `postgres`, without the password. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Of its data. */
  readonly directory: string
  /** Resolves when the engine has ended for whatever reason. */
  readonly ended: Promise<void>
  /** Ends connections and calls, and writes all that is in memory. A directory of the engine's own goes with it. */
  stop(): Promise<void>
  /** Kills the engine, as `kill -9` does; its data stay. */
  kill(): Promise<void>
}

/** Options of `startEngine`. */
export interface EngineOptions {
  /** Data that are there. @default new data, which go with the engine */
  readonly directory?: string | undefined
  /** @default a free one */
  readonly port?: number | undefined
  /** Settings of `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string | number>> | undefined
  /** @default those of npm */
  readonly binaries?: Binaries | undefined
  /** Called with the text of the engine's log. */
  readonly onLog?: ((text: string) => void) | undefined
}

/** Starts an engine. @throws Error with the end of its log, or that says what to install */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const binaries = options.binaries ?? (await findBinaries())
  const own = options.directory === undefined ? await ownDirectory() : undefined
  const data = options.directory ?? join(own as string, 'data')
  const remove = async () => {
    if (own !== undefined) await rm(own, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    if (own !== undefined) await copyTemplate(data, binaries)
    return await startOnFreePort({ ...options, binaries, directory: data, own }, remove)
  } catch (error) {
    await remove()
    throw error
  }
}

async function ownDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-database-'))
  await giveToOwner(directory)
  return directory
}

interface Start extends EngineOptions {
  readonly binaries: Binaries
  readonly directory: string
  readonly own: string | undefined
}

async function startOnFreePort(start: Start, remove: () => Promise<void>): Promise<Engine> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(start.port ?? (await freePort()), start, remove)
    } catch (error) {
      // Another process may have taken the port meanwhile.
      if (start.port !== undefined || attempt === 3) throw error
    }
  }
}

async function startOn(
  port: number,
  { binaries, directory, settings, own, onLog }: Start,
  remove: () => Promise<void>
): Promise<Engine> {
  const all = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(binaries.postgres, ['-D', directory, ...flags], {
    ...owner,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C on a terminal reaches all processes of its group, and it is for this process to say when the engine ends.
    detached: true
  })
  const guard = endWithProcess(child, own)
  const exited = once(child, 'exit').then(() => void guard?.stdin?.write('ended\n'))
  const log = keepLog(child, onLog)
  await isReady(directory, child, log)
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    pid: child.pid as number,
    directory,
    ended: exited,
    async stop() {
      // Data that go need not be written.
      await end(own === undefined ? 'SIGINT' : 'SIGQUIT')
      guard?.kill('SIGKILL')
      await remove()
    },
    kill: () => end('SIGKILL')
  }
}

/**
 * A shell that ends the engine when this process has ended, even by `kill -9`: the pipe to it is closed then. SIGQUIT ends
 * all processes of the engine at once; the next start replays its log.
 */
function endWithProcess(engine: ChildProcess, own: string | undefined): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  // A line says that the engine has ended by itself. Data of its own stay for the next engine of this process.
  const endEngine = `kill -QUIT ${engine.pid}; while kill -0 ${engine.pid}; do sleep 0.1; done`
  const script = `read _ || { ${endEngine}; }; [ -z "$1" ] || { read _; rm -rf "$1"; }`
  const guard = spawn('/bin/sh', ['-c', script, 'sh', own ?? ''], {
    ...owner,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true
  })
  guard.stdin?.on('error', () => undefined)
  guard.unref()
  ;(guard.stdin as unknown as { unref(): void }).unref()
  return guard
}

/** The last lines of the engine's log. */
function keepLog(child: ChildProcess, onLog?: (text: string) => void): string[] {
  const log: string[] = []
  child.stderr?.on('data', (chunk) => {
    log.push(String(chunk))
    onLog?.(String(chunk))
    if (log.length > 50) log.shift()
  })
  return log
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** The engine writes its state to the eighth line of this file; `pg_ctl` waits in the same way. */
async function isReady(directory: string, child: ChildProcess, log: readonly string[]): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const lines = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')
    const [pid, , , , , , , state] = lines.split('\n')
    if (pid === String(child.pid) && state?.trim() === 'ready') return
    await sleep(10)
  }
  throw new Error(`the database did not start:\n${log.join('')}`)
}
