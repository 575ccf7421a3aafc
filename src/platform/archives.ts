/** `ArchiveFunctions` of platform.ts on Node. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { toNative } from './bytes.ts'
import type { ZipMember } from './platform.ts'

export async function* gzipChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const gzip = createGzip()
  const done = pipeline(Readable.from(chunks, { objectMode: false }), gzip)
  // The loop throws the same error.
  done.catch(() => undefined)
  yield* gzip
  await done
}

/** Members that are compressed ahead, and their bytes. */
const mostAhead = 16
const mostAheadBytes = 4 * 1024 * 1024

export async function* zipChunks(members: AsyncIterable<ZipMember>): AsyncGenerator<Uint8Array, void> {
  const { ZipFile } = await import('yazl')
  const zip = new ZipFile()
  const { outputStream: output } = zip
  let current: Readable | undefined
  let wake: (() => void) | undefined
  zip.on('error', (error) => output.destroy(error))
  output.on('drain', () => wake?.())
  output.once('close', () => {
    current?.destroy()
    wake?.()
  })
  let count = 0
  let bytes = 0
  const add = async ({ path, content, mode, mtime }: ZipMember): Promise<void> => {
    const options = { mtime, mode }
    if (content === undefined) return zip.addEmptyDirectory(path, options)
    const isWhole = content instanceof Uint8Array
    const size = isWhole ? content.length : mostAheadBytes
    if (isWhole && ++count < mostAhead && bytes + size <= mostAheadBytes) {
      bytes += size
      return zip.addBuffer(toNative(content), path, options)
    }
    count = 0
    bytes = 0
    // yazl asks for the stream when it has written the members before.
    await new Promise<void>((resolve) => {
      wake = resolve
      zip.addReadStreamLazy(path, options, (give) => {
        current = Readable.from(isWhole ? [content] : content, { objectMode: false })
        current.once('error', (error) => output.destroy(error))
        give(null, current)
        resolve()
      })
    })
    if (!output.writableNeedDrain || output.destroyed) return
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  const addAll = async (): Promise<void> => {
    for await (const member of members) {
      if (output.destroyed) return
      await add(member)
    }
    zip.end()
  }
  addAll().catch((error) => output.destroy(error))
  yield* output
}
