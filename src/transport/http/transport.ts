/** The HTTP transport, with JSON or MessagePack. */
import { errorFromException } from '../errors.ts'
import type { Transport, TransportOptions } from '../transport.ts'
import { downloadOverHttp } from './download.ts'
import type { HttpContext } from './http-context.ts'
import { openHttpSession } from './session.ts'
import { unaryOverHttp } from './unary.ts'
import { uploadOverHttp } from './upload.ts'

/** Makes a transport that speaks the Connect protocol (connectrpc.com, "Connect Protocol Reference"). */
export function createHttpTransport(context: HttpContext, options: TransportOptions): Transport {
  const { codec, connection } = context
  const toError = (exception: unknown) => errorFromException(exception).with({ transport: codec.name, attempts: 1 })
  const failed = (exception: unknown): never => {
    throw toError(exception)
  }

  return {
    name: codec.name,
    unary: unaryOverHttp(context, options),
    openSession: (opening) => openHttpSession(context, options, opening),
    upload: (attempt) => uploadOverHttp(connection, attempt).catch(failed),
    download: (attempt) => downloadOverHttp(connection, attempt, toError).catch(failed),
    canConnect: () => connection.canConnect(),
    closeIdle: () => connection.closeIdle(),
    limitsChanged: () => connection.limitsChanged?.(),
    close: () => connection.close()
  }
}
