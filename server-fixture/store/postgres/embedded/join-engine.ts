/** `--database embedded`: servers with the same directory share one engine; the first one starts it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { besideModule } from '../../../package-files.ts'
import { callKeeper, failure, type KeeperCall } from './keeper-call.ts'

/** A server's share in the engine. */
export interface EngineShare {
  readonly directory: string
  readonly url: string
  /** The engine ends when all servers have left it, or have died. */
  leave(): void
}

/** Where the data lie by default: those of root have to be where its engine, which runs as `nobody`, may look. */
function defaultDirectory(): string {
  if (process.getuid?.() === 0) return '/var/lib/blobwire'
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'blobwire')
}

/** Joins the engine of a directory. @throws Error with the reason why it does not start */
export async function joinEngine(directory = defaultDirectory()): Promise<EngineShare> {
  let call = await joined(directory)
  let hasLeft = false
  const watch = () => {
    call.socket.unref()
    call.socket.once('close', async () => {
      if (hasLeft) return
      // The keeper was killed. Calls of this server wait for its database meanwhile.
      call = await joined(directory).catch(() => call)
      if (call.socket.destroyed) return
      if (hasLeft) call.socket.destroy()
      else watch()
    })
  }
  watch()
  return {
    directory,
    url: call.url,
    leave() {
      hasLeft = true
      call.socket.destroy()
    }
  }
}

async function joined(directory: string): Promise<KeeperCall> {
  for (;;) {
    const call = (await callKeeper(directory)) ?? (await callNewKeeper(directory))
    if (call !== undefined) return call
  }
}

/** Undefined where another server's keeper was faster. @throws Error where the keeper ends with one */
async function callNewKeeper(directory: string): Promise<KeeperCall | undefined> {
  await mkdir(directory, { recursive: true })
  const logFile = join(directory, 'database.log')
  const log = await open(logFile, 'a', 0o600)
  const { size } = await log.stat()
  // A worker of a cluster has variables by which its children would take themselves for workers.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_')))
  const child = spawn(process.execPath, [fileURLToPath(besideModule('keeper', import.meta.url)), directory], {
    env,
    detached: true,
    stdio: ['ignore', 'ignore', log.fd]
  })
  child.unref()
  let code: number | undefined
  once(child, 'exit').then(([exitCode]) => {
    code = exitCode ?? 1
  })
  try {
    for (;;) {
      const call = await callKeeper(directory)
      if (call !== undefined) return call
      if (code === 0) return undefined
      if (code !== undefined) throw new Error(`the embedded database does not start: ${await reasonIn(logFile, size)}`)
      await sleep(20)
    }
  } finally {
    await log.close()
  }
}

/** The reason that the keeper has written; without one, the last lines. */
async function reasonIn(file: string, start: number): Promise<string> {
  const log = (await readFile(file)).subarray(start).toString().trimEnd()
  const begin = log.lastIndexOf(failure)
  return begin < 0 ? log.split('\n').slice(-12).join('\n') : log.slice(begin + failure.length)
}
