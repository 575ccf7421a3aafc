/** Starts the server as a child process, for tests, demo and benchmarks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { besideModule } from './package-files.ts'

/** A server in a process of its own. */
export interface ServerProcess {
  readonly http: URL
  readonly grpc: URL
  /** Undefined without `--admin-port`. */
  readonly admin: string | undefined
  readonly pid: number
  /** Drains the server and waits for its end. @throws Error unless it exits with 0 */
  stop(): Promise<void>
  /** Kills the server, as `kill -9` does; its ports are free when this resolves. */
  kill(): Promise<void>
}

/** Flags of Node, for programs that are to end with this process, and that do not read what it writes to them. */
export const endWithParent = ['--import', besideModule('end-with-parent', import.meta.url).href] as const

/** Starts a server on free ports, with further flags of main.ts. @throws Error with its log if it does not start */
export function startServerProcess(...flags: string[]): Promise<ServerProcess> {
  return startServerThrough([], flags)
}

/** The same through another command, such as one that bounds the memory of the server. It has to keep the process id. */
export async function startServerThrough(command: readonly string[], flags: readonly string[]): Promise<ServerProcess> {
  const main = fileURLToPath(besideModule('main', import.meta.url))
  const ports = ['--http-port', '0', '--grpc-port', '0']
  const node = [process.execPath, ...endWithParent, main]
  const [file, ...rest] = [...command, ...node, ...ports, ...flags] as [string, ...string[]]
  const child = spawn(file, rest)
  const log: string[] = []
  child.stderr.on('data', (chunk) => {
    log.push(String(chunk))
    if (log.length > 100) log.shift()
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), exited.then(() => undefined)])
  if (first === undefined) throw new Error(`the server did not start:\n${log.join('')}`)
  const { http, grpc, admin } = JSON.parse(first[0] as string) as { http: string; grpc: string; admin?: string }
  return {
    http: new URL(http),
    grpc: new URL(grpc),
    admin,
    pid: child.pid as number,
    async stop() {
      await stopChild(child, exited, log)
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    }
  }
}

async function stopChild(child: ChildProcess, exited: Promise<unknown[]>, log: string[]): Promise<void> {
  child.kill('SIGTERM')
  const [code, signal] = await exited
  if (code !== 0) throw new Error(`the server ended with ${signal ?? code}:\n${log.join('')}`)
}
