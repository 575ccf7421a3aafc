/** Starts the servers of the comparison. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A server of the comparison in a process of its own. */
export interface BenchServer {
  readonly port: number
  stop(): Promise<void>
}

/** Killed when this process exits. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts `bench/servers/NAME.ts`. */
export async function startBenchServer(name: string, ...args: string[]): Promise<BenchServer> {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  running.add(child)
  const [text] = await Promise.race([once(child.stdout, 'data'), exited.then(() => [''])])
  const port = Number(text)
  if (!(port > 0)) throw new Error(`the server ${name} did not start`)
  return {
    port,
    async stop() {
      running.delete(child)
      child.kill('SIGKILL')
      await exited
    }
  }
}
