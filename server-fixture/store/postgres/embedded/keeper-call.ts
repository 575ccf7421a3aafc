/** How servers find the keeper of the embedded engine: a file in the directory names its port and a secret. */
import { once } from 'node:events'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'

/** Where a keeper listens, on loopback. */
export interface KeeperPlace {
  readonly port: number
  readonly secret: string
  /** Of the engine: the next keeper takes the same one, so that URLs stay. */
  readonly enginePort: number
}

/** Begins the reason in the log, where a keeper cannot keep an engine. */
export const failure = 'cannot keep the database: '

const file = (directory: string) => join(directory, 'keeper.json')

/** Undefined where there was no keeper yet. */
export async function readPlace(directory: string): Promise<KeeperPlace | undefined> {
  try {
    return JSON.parse(await readFile(file(directory), 'utf8')) as KeeperPlace
  } catch {
    return undefined
  }
}

export async function writePlace(directory: string, place: KeeperPlace): Promise<void> {
  const written = `${file(directory)}.${process.pid}`
  await writeFile(written, JSON.stringify(place), { mode: 0o600 })
  await rename(written, file(directory))
}

/** A server's call to the keeper. The engine stays as long as the socket is open. */
export interface KeeperCall {
  readonly url: string
  readonly socket: Socket
}

/** Undefined where nobody keeps the engine now. */
export async function callKeeper(directory: string): Promise<KeeperCall | undefined> {
  const place = await readPlace(directory)
  if (place === undefined) return undefined
  const socket = connect(place.port, '127.0.0.1')
  socket.setTimeout(2000, () => socket.destroy())
  socket.on('error', () => undefined)
  socket.write(`${place.secret}\n`)
  const answer = once(socket, 'data').then(([chunk]) => String(chunk))
  const url = await Promise.race([answer, once(socket, 'close').then(() => '')]).catch(() => '')
  // Another program may have the port by now.
  if (!url.startsWith('postgres://')) return void socket.destroy()
  socket.setTimeout(0)
  return { url: url.trim(), socket }
}
