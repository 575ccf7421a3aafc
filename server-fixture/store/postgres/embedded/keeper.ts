/**
 * `node keeper.ts DIRECTORY`: keeps the embedded engine as long as a server needs it. It is a process of its own, so that
 * the server that was first may be killed like any other. The kernel closes the sockets of killed servers; when the last one
 * is closed, the engine is stopped. An engine that is killed is started again. A keeper that is killed takes the engine with
 * it, and the servers start another one.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Binaries, findBinaries } from './binaries.ts'
import { initialize } from './data-directory.ts'
import { type Engine, freePort, startEngine } from './engine.ts'
import { callKeeper, failure, readPlace, writePlace } from './keeper-call.ts'
import { checkReach, giveToOwner, runAsOwner } from './owner.ts'

/** A server that restarts finds the engine running. */
const graceMs = 1000
/** For the server that started this process, on a busy machine. */
const firstMs = 30_000

const directory = process.argv[2] as string
const data = join(directory, 'database')

/** The password is for servers of whoever can read the directory: other users of the machine reach the port, too. */
async function makeData(binaries: Binaries): Promise<string> {
  await mkdir(directory, { recursive: true })
  await checkReach(directory)
  const file = join(directory, 'password')
  const written = `${file}.${process.pid}`
  await writeFile(written, randomBytes(24).toString('hex'), { mode: 0o600 })
  await giveToOwner(written)
  // Unlike `rename`, it keeps the file that another keeper wrote before.
  await link(written, file).catch(() => undefined)
  await rm(written)
  // New data take seconds to sync on a busy disk. They are synced while the first server works already.
  if (await initialize(data, binaries, ['--auth=scram-sha-256', `--pwfile=${file}`, '--no-sync'])) {
    runAsOwner('sync', ['-f', data]).catch(() => undefined)
  }
  return await readFile(file, 'utf8')
}

/** Data that a keeper was making when it was killed. */
async function removeUnfinished(): Promise<void> {
  for (const name of (await readdir(directory)).filter((entry) => entry.startsWith('database-'))) {
    const { mtimeMs } = await stat(join(directory, name))
    if (mtimeMs < Date.now() - 600_000) await rm(join(directory, name), { recursive: true, force: true })
  }
}

/** Undefined where another keeper was faster. The engine itself locks its data, and a keeper that ends may still hold them. */
async function startLocked(binaries: Binaries, port: number): Promise<Engine | undefined> {
  const endsAt = performance.now() + 30_000
  for (;;) {
    try {
      const onLog = (text: string) => process.stderr.write(text)
      return await startEngine({ directory: data, binaries, port, settings: { max_connections: 300 }, onLog })
    } catch (error) {
      const other = await callKeeper(directory)
      other?.socket.destroy()
      if (other !== undefined) return undefined
      if (!/postmaster\.pid|in use/.test(String(error)) || performance.now() > endsAt) throw error
      await sleep(100)
    }
  }
}

async function keep(): Promise<void> {
  const binaries = await findBinaries()
  const password = await makeData(binaries)
  const port = (await readPlace(directory))?.enginePort ?? (await freePort())
  let engine = await startLocked(binaries, port)
  if (engine === undefined) return
  await removeUnfinished().catch(() => undefined)
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  const secret = randomBytes(24).toString('hex')
  let isEnding = false
  const servers = new Set<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (chunk) => {
      if (isEnding || String(chunk) !== `${secret}\n`) return socket.destroy()
      servers.add(socket)
      clearTimeout(timer)
      socket.write(`${url}\n`)
    })
    socket.on('close', () => {
      if (servers.delete(socket) && servers.size === 0) timer = setTimeout(end, graceMs)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = async () => {
    if (isEnding) return
    isEnding = true
    server.close()
    for (const socket of servers) socket.destroy()
    await engine?.stop()
    process.exit(0)
  }
  let timer = setTimeout(end, firstMs)
  process.on('SIGTERM', end)
  await writePlace(directory, { port: (server.address() as AddressInfo).port, secret, enginePort: port })
  while (!isEnding && engine !== undefined) {
    await engine.ended
    if (!isEnding) engine = await startLocked(binaries, port)
  }
}

try {
  await keep()
} catch (error) {
  process.stderr.write(`${failure}${(error as Error).message}\n`)
  process.exit(1)
}
