/** A watch as a server stream of its own, over Connect and gRPC. */
import type { Writable } from 'node:stream'
import { BlobwireError } from '../../src/core/error.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import type { WatchMessage } from '../service/watch/watch-messages.ts'
import type { WatchSink } from '../service/watch/watcher.ts'
import type { OpenWatch } from '../service/watch/watches.ts'

/** Bytes that wait for a client that does not read; with more, its watch waits. */
const maxUnsentBytes = 64 * 1024

/** How a watch is served. */
export interface WatchServing {
  /** Aborts when the server takes no more work: the watch goes on at another one. */
  readonly draining: AbortSignal
  /** Aborts with the error of a client's time that is over. */
  readonly deadline?: AbortSignal | undefined
  /** The bytes of a message on the stream; the same message comes for many watches. */
  readonly encode: (message: WatchMessage) => Uint8Array
  /** @throws BlobwireError */
  readonly begin: (sink: WatchSink) => OpenWatch
}

/** Serves a watch on a stream; resolves with the error that ends it. Undefined = the client has gone. */
export function serveWatch(
  stream: Writable,
  { draining, deadline, encode, begin }: WatchServing
): Promise<BlobwireError | undefined> {
  return new Promise((resolve) => {
    let watch: OpenWatch | undefined
    const settle = (error: BlobwireError | undefined) => {
      draining.removeEventListener('abort', onDraining)
      deadline?.removeEventListener('abort', onDeadline)
      watch?.close()
      resolve(error)
    }
    const onDraining = () =>
      settle(
        new BlobwireError({
          reason: 'watch_moved',
          message: 'the server is shutting down; the watch goes on elsewhere'
        })
      )
    const onDeadline = () => settle(deadline?.reason)
    const sink: WatchSink = {
      get isRead() {
        return stream.writableLength <= maxUnsentBytes
      },
      send: (message) => void stream.write(encode(message)),
      end: settle
    }
    stream.once('close', () => settle(undefined)).on('error', () => settle(undefined))
    stream.on('drain', () => watch?.resume())
    if (draining.aborted) return onDraining()
    deadline?.addEventListener('abort', onDeadline)
    draining.addEventListener('abort', onDraining)
    try {
      watch = begin(sink)
    } catch (error) {
      settle(toBlobwireError(error))
    }
  })
}
