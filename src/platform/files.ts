/** `FileFunctions` of platform.ts on Node. */
import { Buffer } from 'node:buffer'
import { open, stat } from 'node:fs/promises'
import type { FilePath, OpenFile } from './platform.ts'

function pathOf(path: FilePath): string | URL {
  return typeof path === 'string' ? path : new URL(path.href)
}

export async function fileSize(path: FilePath): Promise<number | undefined> {
  const stats = await stat(pathOf(path))
  return stats.isFile() ? stats.size : undefined
}

export async function openFile(path: FilePath): Promise<OpenFile> {
  const file = await open(pathOf(path), 'r')
  try {
    const stats = await file.stat({ bigint: true })
    // Node opens directories, and fails when they are read.
    if (stats.isDirectory()) throw Object.assign(new Error('EISDIR: it is a directory'), { code: 'EISDIR' })
    const { size, mtimeNs, ino } = stats
    return {
      size: stats.isFile() ? Number(size) : undefined,
      identity: stats.isFile() ? [size, mtimeNs, ino].map((part) => part.toString(36)).join('-') : '',
      async read(length, position) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, position ?? null)
        return buffer.subarray(0, bytesRead)
      },
      close: () => file.close()
    }
  } catch (error) {
    await file.close()
    throw error
  }
}
