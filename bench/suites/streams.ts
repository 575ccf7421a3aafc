/** The suite of large blobs as streams. */
import { type BlobStreamer, bareStreams, blobwireStreams, connectStreams, grpcStreams } from '../contenders/streams.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'
import { startBenchServer } from '../servers/start.ts'
import { beside } from './beside.ts'

const mebibyte = 1024 * 1024
type Direction = 'up' | 'down'

/** One stream after the other. */
function streaming(
  name: string,
  { direction, size }: { readonly direction: Direction; readonly size: number },
  open: () => Promise<BlobStreamer>
): Contender {
  return {
    name,
    async open() {
      const streamer = await open()
      // A download needs the blob.
      if (direction === 'down') await streamer.prepare?.(size)
      return {
        async run(durationMs) {
          const start = performance.now()
          let bytes = 0
          do {
            await (direction === 'up' ? streamer.upload(size) : streamer.download(size))
            bytes += size
          } while (performance.now() < start + durationMs)
          return bytes / mebibyte / ((performance.now() - start) / 1000)
        },
        close: () => streamer.close()
      }
    }
  }
}

const labels = { json: 'blobwire, JSON', msgpack: 'blobwire, MessagePack', grpc: 'blobwire, gRPC' } as const
const transports = ['msgpack', 'json', 'grpc'] as const

function local(direction: Direction, mebibytes: number): Scenario {
  const load = { direction, size: mebibytes * mebibyte }
  return {
    suite: 'streams',
    name: `${mebibytes} MiB ${direction}, loopback, memory store, verified at both ends`,
    unit: 'MiB/s',
    better: 'more',
    baseline: 'node:http2',
    contenders: [
      streaming('node:http2', load, () => bareStreams()),
      ...transports.map((transport) => streaming(labels[transport], load, () => blobwireStreams(transport)))
    ]
  }
}

/** With windows of 64 KiB it takes as many round trips; a stream of this length shows their speed as well as a longer one. */
const slowMebibytes = 4

function distant(direction: Direction, roundTripMs: number, mebibytes: number): Scenario {
  const load = { direction, size: mebibytes * mebibyte }
  const slow = { direction, size: slowMebibytes * mebibyte }
  const through = (port: number) => startBenchServer('delay-proxy', String(port), String(roundTripMs))
  return {
    suite: 'streams',
    name: `${mebibytes} MiB ${direction}, ${roundTripMs} ms of round trip added`,
    unit: 'MiB/s',
    better: 'more',
    baseline: 'grpc-js',
    contenders: [
      streaming('grpc-js', slow, () => grpcStreams(through)),
      streaming('connect-node', slow, () => connectStreams(through)),
      ...transports.map((transport) => streaming(labels[transport], load, () => blobwireStreams(transport, through)))
    ]
  }
}

const directions = ['up', 'down'] as const

/** Large blobs, against bare streams and what other libraries do with their defaults. */
export const streams: Suite = {
  name: 'streams',
  about: 'Large blobs up and down: over loopback, 20 and 100 ms of round trip; small reads beside them.',
  scenarios: ({ quick }) => [
    ...directions.map((direction) => local(direction, quick ? 64 : 1024)),
    ...transports.map(beside),
    ...(quick ? [20] : [20, 100]).flatMap((ms) =>
      directions.map((direction) => distant(direction, ms, quick ? 16 : 64))
    )
  ]
}
