/** `FileFunctions` of platform.ts on Node. */
import { Buffer } from 'node:buffer'
import { open } from 'node:fs/promises'
import type { OpenFile } from './platform.ts'

export async function openFile(path: string | { readonly href: string }): Promise<OpenFile> {
  const file = await open(typeof path === 'string' ? path : new URL(path.href), 'r')
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
