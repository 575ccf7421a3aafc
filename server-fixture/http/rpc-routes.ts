/** The methods of the service by their paths, with the handlers of streams, for Connect and for gRPC. */
import { BlobwireError } from '../../src/core/error.ts'
import type { Method } from '../../src/schema/descriptor.ts'
import { methods, serviceName } from '../../src/schema/methods.ts'
import { handleDownloadStream } from './download-stream.ts'
import type { Exchange } from './exchange.ts'
import type { MessageStreamContext } from './message-stream.ts'
import { handleSession } from './session.ts'
import { handleUploadStream } from './upload-stream.ts'
import { handleWatchStream } from './watch-stream.ts'

/** Longer ones end at once in Node. */
const longestTimerMs = 2 ** 31 - 1

type StreamHandler = (exchange: Exchange, context: MessageStreamContext) => Promise<void>

/** A method by the name in its path, and the handler of its stream; unary methods have none. */
export interface RpcRoute {
  readonly method: Method
  readonly handleStream: StreamHandler | undefined
}

const streamHandlers = new Map<Method, StreamHandler>([
  [methods.session as Method, handleSession],
  [methods.uploadBlob as Method, handleUploadStream],
  [methods.downloadBlob as Method, handleDownloadStream],
  [methods.watchRefs as Method, handleWatchStream]
])
const routes = new Map<string, RpcRoute>(
  Object.values(methods).map((method) => [method.name, { method, handleStream: streamHandlers.get(method as Method) }])
)

/** Answers a stream, within the time that its client tells. @throws BlobwireError before anything is sent */
export async function serveStream<Context extends Pick<MessageStreamContext, 'protocol'>>(
  exchange: Exchange,
  handle: (exchange: Exchange, context: Context & Pick<MessageStreamContext, 'deadline'>) => Promise<void>,
  context: Context
): Promise<void> {
  const timeoutMs = context.protocol.timeoutMs(exchange)
  if (timeoutMs === undefined) return handle(exchange, context)
  const deadline = new AbortController()
  const end = () => {
    const message = 'the deadline of the call has passed'
    deadline.abort(new BlobwireError({ code: 'deadline_exceeded', message }))
  }
  const timer = setTimeout(end, Math.min(timeoutMs, longestTimerMs))
  try {
    await handle(exchange, { ...context, deadline: deadline.signal })
  } finally {
    clearTimeout(timer)
  }
}

/** Whether the path belongs to the service. */
export function isRpcPath(path: string): boolean {
  return path.startsWith(`/${serviceName}/`)
}

/** The method of a path of the service; undefined = it has no such method. */
export function rpcOf({ path }: Pick<Exchange, 'path'>): RpcRoute | undefined {
  return routes.get(path.slice(serviceName.length + 2).split('?', 1)[0] ?? '')
}
