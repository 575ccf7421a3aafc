/** Files by their descriptors on Node: without the objects of `fs/promises`, which take longer than small files. */
import { Buffer } from 'node:buffer'
import fs from 'node:fs'
import { promisify } from 'node:util'

/** Bytes of a read. */
const chunkBytes = 256 * 1024

export const openFile: (path: string | Buffer, flags: number, mode?: number) => Promise<number> = promisify(fs.open)
export const closeFile: (descriptor: number) => Promise<void> = promisify(fs.close)
export const statFile: (descriptor: number) => Promise<fs.Stats> = promisify(fs.fstat)
export const changeMode: (descriptor: number, mode: number) => Promise<void> = promisify(fs.fchmod)

const read = promisify(fs.read)
const write = promisify(fs.write)

/** Writes all bytes: a disk that runs full may take a part of them first. */
export async function writeAll(descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await write(descriptor, bytes, at, bytes.length - at)
    at += bytesWritten
  }
}

/** Reads to the end, into one buffer. Returns the number of bytes. */
export async function readAll(descriptor: number, size: number, take: (chunk: Uint8Array) => void): Promise<number> {
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size + 1))
  for (let total = 0; ; ) {
    const { bytesRead } = await read(descriptor, buffer, 0, buffer.length, null)
    if (bytesRead === 0) return total
    total += bytesRead
    take(buffer.subarray(0, bytesRead))
  }
}
