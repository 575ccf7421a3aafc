/** Sockets that do not keep the process running: the calls on them do (`platform/process-hold.ts`). */
import type { Socket } from 'node:net'
import { abandonAfterWork } from '../platform/process-hold.ts'

/** The handle of a socket, whose queue has the bytes that the peer's kernel does not take. */
interface SocketHandle {
  readonly writeQueueSize?: number
}

/**
 * Makes a socket keep the process running no longer. undici and node:http2 would have it do so again with each request,
 * and as long as a session is open.
 *
 * A `connect` or a write that waits for the peer keeps the process running all the same (libuv counts requests apart from
 * handles). Where no call waits for it either, and nothing else is left to do, the socket is destroyed.
 */
export function unheld<Any extends Socket>(socket: Any): Any {
  socket.ref = () => socket
  socket.unref()
  // Each address that is tried has a handle of its own.
  socket.on('connectionAttempt', () => socket.unref())
  const isBlocked = () => ((socket as { _handle?: SocketHandle | null })._handle?.writeQueueSize ?? 0) > 0
  const forget = abandonAfterWork({
    isPending: () => socket.connecting || isBlocked(),
    abandon: () => socket.destroy()
  })
  socket.once('close', forget)
  return socket
}
