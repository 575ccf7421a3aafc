/** HTTP/2 by hand (RFC 9113), for peers that no library would let misbehave: frames as bytes over TCP, on either side. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export const frameTypes = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9
} as const

export const flags = { ack: 1, endStream: 1, endHeaders: 4 } as const

/** The first bytes of a connection from the client (RFC 9113 section 3.4). */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export interface Frame {
  readonly type: number
  readonly flags?: number
  readonly stream?: number
  readonly payload?: Uint8Array
}

/** The bytes of a frame, well-formed or not. */
export function frameBytes({ type, flags = 0, stream = 0, payload = Buffer.alloc(0) }: Frame): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A header block of literals that are never indexed (RFC 7541 section 6.2.3). */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0x10), ...literal(name), ...literal(value)]))
}

/**
 * A header block of less than 16 KB that is 40 MB when it is decoded: a literal that is indexed (RFC 7541 section 6.2.1), and
 * its index again and again (section 6.1).
 */
export function headerBomb(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const indexed = Buffer.concat([Buffer.of(0x40), ...literal('x-bomb'), ...literal('v'.repeat(4000))])
  return Buffer.concat([headerBlock(fields), indexed, Buffer.alloc(10_000, 0x80 | 62)])
}

/** RFC 7541 sections 5.1 and 5.2, without Huffman. */
function literal(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  if (bytes.length < 127) return [Buffer.of(bytes.length), bytes]
  const length = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128)
  return [Buffer.of(...length, rest), bytes]
}

/** Splits incoming bytes into frames, and skips the client's preface. */
export function frameReader(onFrame: (frame: Required<Frame>) => void, hasPreface: boolean): (bytes: Buffer) => void {
  let held = Buffer.alloc(0)
  let skipped = !hasPreface
  return (bytes) => {
    held = Buffer.concat([held, bytes])
    if (!skipped) {
      if (held.length < preface.length) return
      held = held.subarray(preface.length)
      skipped = true
    }
    while (held.length >= 9) {
      const length = held.readUIntBE(0, 3)
      if (held.length < 9 + length) return
      const payload = Buffer.from(held.subarray(9, 9 + length))
      onFrame({ type: held[3] ?? 0, flags: held[4] ?? 0, stream: held.readUInt32BE(5) & 0x7fffffff, payload })
      held = held.subarray(9 + length)
    }
  }
}

/** A connection, as the misbehaving side sees it. */
export interface RawPeer {
  readonly socket: Socket
  /** The connection is over, or the server ends. */
  readonly over: boolean
  /** Resolves when there is room for more, or it is over. */
  write(bytes: Uint8Array): Promise<void>
}

/** A server that answers requests with any bytes that the test wants. */
export interface RawServer extends AsyncDisposable {
  readonly port: number
  /** Called for the next requests; `stream` is the request's. */
  attack: (peer: RawPeer, stream: number) => Promise<void>
  /** Connections that are open, and requests so far. */
  readonly open: number
  readonly requests: number
}

/** Starts one on a free port: it answers SETTINGS as it should, unless told otherwise, and leaves the rest to `attack`. */
export async function startRawServer({ acknowledges = true } = {}): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const counts = { requests: 0 }
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    const peer: RawPeer = {
      socket,
      get over() {
        return socket.destroyed
      },
      async write(bytes) {
        if (socket.destroyed || socket.write(bytes)) return
        await Promise.race([drained(socket), closed(socket)])
      }
    }
    socket.write(frameBytes({ type: frameTypes.settings }))
    const take = frameReader(({ type, flags: set, stream }) => {
      if (acknowledges && type === frameTypes.settings && (set & flags.ack) === 0) {
        socket.write(frameBytes({ type: frameTypes.settings, flags: flags.ack }))
      }
      if (type !== frameTypes.headers) return
      counts.requests++
      raw.attack(peer, stream).catch(() => socket.destroy())
    }, true)
    socket.on('data', take)
  })
  const raw = { attack: async () => undefined } as { attack: RawServer['attack'] }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.defineProperties(raw as RawServer, {
    port: { value: (server.address() as AddressInfo).port },
    open: { get: () => sockets.size },
    requests: { get: () => counts.requests },
    [Symbol.asyncDispose]: {
      value: async () => {
        for (const socket of sockets) socket.destroy()
        server.close()
        await once(server, 'close')
      }
    }
  })
}

const drained = (socket: Socket) => new Promise<void>((resolve) => socket.once('drain', resolve))
const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))
