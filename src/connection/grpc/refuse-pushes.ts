/** Refuses the streams that a server pushes to grpc-js. */
import { subscribe } from 'node:diagnostics_channel'
import { type ClientHttp2Stream, constants } from 'node:http2'

/** The diagnostics channel on which Node reports pushed streams and request streams alike. */
const streamCreated = 'http2.client.stream.created'

let refused = false

/**
 * Closes pushed streams, once for the process, on connections without a listener for them. grpc-js neither disables
 * server push (RFC 9113 section 8.4) nor handles pushed streams, so that a server that pushes and then breaks the
 * connection would end the process with an uncaught error. test/faults/hostile-server.test.ts has such a server.
 */
export function refusePushes(): void {
  if (refused) return
  refused = true
  subscribe(streamCreated, (message) => {
    const { stream } = message as { stream: ClientHttp2Stream }
    // Streams that servers open have even numbers (RFC 9113 section 5.1.1); a new request has no number yet.
    const isPushed = stream.id !== undefined && stream.id > 0 && stream.id % 2 === 0
    if (!isPushed || stream.session === undefined || stream.session.listenerCount('stream') > 0) return
    stream.on('error', () => undefined)
    stream.close(constants.NGHTTP2_REFUSED_STREAM)
  })
}
