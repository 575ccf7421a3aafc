import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A server of the comparison in a process of its own. */
export interface BenchServer {
  readonly port: number
  stop(): Promise<void>
}

/** Starts `bench/servers/NAME.ts`. */
export async function startBenchServer(name: string, ...args: string[]): Promise<BenchServer> {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const [text] = await Promise.race([once(child.stdout, 'data'), exited.then(() => [''])])
  const port = Number(text)
  if (!(port > 0)) throw new Error(`the server ${name} did not start`)
  return {
    port,
    async stop() {
      process.off('exit', kill)
      kill()
      await exited
    }
  }
}
