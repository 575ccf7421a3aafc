/** A server of several workers as a process, with its log. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { endWithParent } from '../../server-fixture/process.ts'
import { type Client, type ClientOptions, createClient, type TransportName } from '../../src/index.ts'
import { startProgram } from '../support/child.ts'

const main = fileURLToPath(new URL('../../server-fixture/main.ts', import.meta.url))

/** A line of the log. */
export interface LogLine {
  readonly event: string
  readonly pid?: number
  readonly worker?: number
}

export interface WorkerServer {
  readonly http: string
  readonly grpc: string
  readonly admin: string
  readonly pid: number
  /** Workers that are ready, and have not ended; the oldest first. */
  readonly pids: readonly number[]
  /** All that came on standard output after the first line. */
  readonly output: readonly string[]
  /** Resolves with the next line of this event. */
  next(event: string): Promise<LogLine>
  client(transport: TransportName, options?: Partial<ClientOptions>): Client
  /** Ends the server as a supervisor does. Resolves with its exit code. */
  stop(): Promise<number>
}

/** Starts the server on free ports; it is killed after the test. */
export async function startWorkerServer(context: TestContext, ...flags: string[]): Promise<WorkerServer> {
  const ports = ['--http-port', '0', '--grpc-port', '0', '--admin-port', '0', '--store', 'postgres']
  const child = startProgram(process.execPath, ...endWithParent, main, ...ports, ...flags)
  const exited = once(child, 'exit')
  const waiting: { readonly event: string; readonly resolve: (line: LogLine) => void }[] = []
  const pids: number[] = []
  const output: string[] = []
  const log: string[] = []
  createInterface({ input: child.stderr }).on('line', (text) => {
    log.push(text)
    if (!text.startsWith('{')) return
    const line = JSON.parse(text) as LogLine
    if (line.event === 'worker_ready') pids.push(line.pid as number)
    if (line.event === 'worker_ended') pids.splice(pids.indexOf(line.pid as number), 1)
    const place = waiting.findIndex(({ event }) => event === line.event)
    if (place >= 0) waiting.splice(place, 1)[0]?.resolve(line)
  })
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), exited])
  if (typeof first[0] !== 'string') throw new Error(`the server did not start:\n${log.join('\n')}`)
  lines.on('line', (line) => output.push(line))
  const urls = JSON.parse(first[0]) as Record<'http' | 'grpc' | 'admin', string>
  const clients: Client[] = []
  context.after(async () => {
    await Promise.all(clients.map((client) => client.close()))
    child.kill('SIGKILL')
    await exited
  })
  return {
    ...urls,
    pid: child.pid as number,
    pids,
    output,
    next: (event) => new Promise((resolve) => waiting.push({ event, resolve })),
    client(transport, options) {
      const endpoint = transport === 'grpc' ? urls.grpc.replace('http', 'grpc') : urls.http
      const client = createClient({ endpoint, transport, ...options })
      clients.push(client)
      return client
    },
    async stop() {
      child.kill('SIGTERM')
      const [code] = await exited
      return code as number
    }
  }
}
