import { subscribe } from 'node:diagnostics_channel'
import { type ClientHttp2Stream, constants } from 'node:http2'

/** Emitted by Node, for streams that a server pushes as well as for those of requests. */
const streamCreated = 'http2.client.stream.created'

let refused = false

/**
 * grpc-js neither switches server push off (RFC 9113 section 8.4) nor listens to what is pushed, so that a server that
 * pushes and then breaks the connection would end the process with an uncaught error of the pushed stream. This closes
 * pushed streams of connections on which nobody waits for any. Once for the process; grpc-js gives no way to its own.
 * test/faults/hostile-server.test.ts has the server that does it.
 */
export function refusePushes(): void {
  if (refused) return
  refused = true
  subscribe(streamCreated, (message) => {
    const { stream } = message as { stream: ClientHttp2Stream }
    // Streams that servers open have even numbers (RFC 9113 section 5.1.1); a request has none yet.
    const isPushed = stream.id !== undefined && stream.id > 0 && stream.id % 2 === 0
    if (!isPushed || stream.session === undefined || stream.session.listenerCount('stream') > 0) return
    stream.on('error', () => undefined)
    stream.close(constants.NGHTTP2_REFUSED_STREAM)
  })
}
