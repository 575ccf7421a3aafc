/** `ArchiveFunctions` of platform.ts on the web's `CompressionStream`. */
import { refuse } from './refuse.ts'

export async function* gzipChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const iterator = chunks[Symbol.asyncIterator]()
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(value as Uint8Array<ArrayBuffer>)
    }
  })
  const reader = source.pipeThrough(new CompressionStream('gzip')).getReader()
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      yield value as Uint8Array
    }
  } finally {
    await iterator.return?.()
    await reader.cancel()
  }
}

// biome-ignore lint/correctness/useYield: it refuses at the first step, as a generator does
export async function* zipChunks(): AsyncGenerator<Uint8Array, void> {
  refuse('archives of the format zip need Node; choose tar.gz or tar')
}
