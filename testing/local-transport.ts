/** The transport of clients in the same process as their server: no sockets, the rest is as with them. */

import type { ResolvedOptions } from '../src/client/options.ts'
import { codecOf } from '../src/client/transport-factory.ts'
import { BlobwireError, type TransportName } from '../src/core/error.ts'
import type { Transport } from '../src/transport/transport.ts'
import { localDownload, localUnary, localUpload } from './local-call.ts'
import type { LocalServer } from './local-server.ts'
import { openLocalSession } from './local-session.ts'

/** A transport of one client. */
export function localTransport(
  server: LocalServer,
  name: TransportName,
  { maxResponseBytes }: Pick<ResolvedOptions, 'maxResponseBytes'>
): Transport {
  if (name === 'grpc') {
    const message = 'a client without sockets has no gRPC: use the transport msgpack or json, or startTestServer'
    throw new BlobwireError({ reason: 'no_grpc', message, sent: 'never' })
  }
  const codec = codecOf(name)
  const context = { server, codec, maxResponseBytes }
  const failed = (error: BlobwireError): never => {
    throw error.with({ transport: name })
  }
  return {
    name,
    unary: (call) => localUnary(context, call).catch(failed),
    openSession: (opening) => openLocalSession(server, codec, opening),
    upload: (attempt) => localUpload(context, attempt).catch(failed),
    download: (attempt) => localDownload(context, attempt).catch(failed),
    canConnect: async () => !server.draining.aborted,
    closeIdle: () => undefined,
    close: async () => undefined
  }
}
