/** The transport of runtimes without sockets: requests by `fetch`, with JSON or MessagePack. */
import { errorFromException } from '../errors.ts'
import { unaryOverHttp } from '../http/unary.ts'
import type { Transport, TransportOptions } from '../transport.ts'
import type { FetchContext } from './fetch-context.ts'
import { WatchStream } from './watch-stream.ts'

/**
 * Makes a transport that speaks the Connect protocol (connectrpc.com, "Connect Protocol Reference"). It has no sessions,
 * which need a stream in both directions; a session here carries one watch. Streams are loaded with the first one.
 */
export function createFetchTransport(context: FetchContext, options: TransportOptions): Transport {
  const { codec, connection } = context
  const toError = (exception: unknown) => errorFromException(exception).with({ transport: codec.name, attempts: 1 })
  const failed = (exception: unknown): never => {
    throw toError(exception)
  }
  return {
    name: codec.name,
    unary: unaryOverHttp(context, options),
    openSession: (opening) => new WatchStream(context, opening, toError),
    upload: (attempt) =>
      import('./upload.ts').then(({ uploadOverFetch }) => uploadOverFetch(connection, attempt)).catch(failed),
    download: (attempt) =>
      import('./download.ts')
        .then(({ downloadOverFetch }) => downloadOverFetch(context, attempt, toError))
        .catch(failed),
    canConnect: () => connection.canConnect(),
    closeIdle: () => undefined,
    close: async () => connection.close()
  }
}
