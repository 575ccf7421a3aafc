/** Requests by hand that are still being sent when the answer comes, over HTTP/1.1 and HTTP/2. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { flags, frameBytes, frameReader, frameTypes, headerBlock, preface } from './raw-http2.ts'

/** A request in two parts: the answer is awaited between them. */
export interface SplitRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Sent before the answer is awaited, and after; without a body both are 0. */
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** How a request ended. */
export interface SplitAnswer {
  readonly status: number
  /** The answer as it was told, with its headers over HTTP/1.1. */
  readonly text: string
  /** The server closed or reset the request's stream or connection, before the request was sent whole. */
  readonly wasReset: boolean
}

/** Opens a socket, with TLS for `https:`. Half-open, it can send after the server has ended its side. */
export async function openSocket(
  url: string,
  protocol: 'h2' | 'http/1.1',
  { allowHalfOpen = false } = {}
): Promise<Socket> {
  const { protocol: scheme, hostname, port } = new URL(url)
  const options = { host: hostname, port: Number(port), allowHalfOpen }
  if (scheme === 'http:') {
    const socket = connect(options)
    await once(socket, 'connect')
    return socket
  }
  const socket = connectTls({ ...options, ALPNProtocols: [protocol], rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  return socket
}

/** Waits for a state that bytes of the socket bring about; its end is a state, too. */
function reached(socket: Socket, isReached: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (!isReached() && !socket.destroyed && !socket.readableEnded) return
      socket.off('data', check).off('close', check).off('end', check)
      resolve()
    }
    socket.on('data', check).on('close', check).on('end', check)
    check()
  })
}

/** One HTTP/1.1 connection. */
export class RawHttp1 {
  readonly socket: Socket
  #received = ''

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
    })
  }

  /** Sends a request, reads its answer in the middle, and sends the rest. */
  async split({ method, path, headers, bytesBefore, bytesAfter }: SplitRequest): Promise<SplitAnswer> {
    const length = bytesBefore + bytesAfter
    const all = { host: 'localhost', ...headers, ...(length > 0 ? { 'content-length': String(length) } : {}) }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    this.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    if (bytesBefore > 0) this.socket.write(Buffer.alloc(bytesBefore, 0x20))
    const { status, text } = await this.answer(method)
    if (bytesAfter > 0) {
      // Called when the bytes are written, and when they cannot be.
      await new Promise<unknown>((resolve) => this.socket.write(Buffer.alloc(bytesAfter, 0x20), resolve))
    }
    return { status, text, wasReset: this.socket.destroyed || this.socket.readableEnded }
  }

  /** The next answer, by its length. */
  async answer(method: string): Promise<{ status: number; text: string }> {
    const end = () => {
      const head = this.#received.indexOf('\r\n\r\n')
      if (head < 0) return -1
      const isBodiless = method === 'HEAD' || /^HTTP\/1\.1 (?:304|1)/.test(this.#received)
      const length = isBodiless ? 0 : Number(/^content-length: (\d+)/im.exec(this.#received.slice(0, head))?.[1] ?? 0)
      return this.#received.length >= head + 4 + length ? head + 4 + length : -1
    }
    await reached(this.socket, () => end() >= 0)
    const text = this.#received.slice(0, Math.max(0, end()))
    this.#received = this.#received.slice(text.length)
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text }
  }
}

/** SETTINGS_HEADER_TABLE_SIZE of 0, so that each header block can be read by itself (RFC 7541 section 4.2). */
const noHeaderTable = Buffer.of(0, 1, 0, 0, 0, 0)
const frameBytesMax = 16 * 1024

/** One HTTP/2 connection. */
export class RawHttp2 {
  readonly socket: Socket
  /** Frames of the server, but for SETTINGS and WINDOW_UPDATE. */
  readonly frames: { type: number; flags: number; stream: number; payload: Buffer }[] = []
  #nextStream = 1

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.write(Buffer.concat([preface, frameBytes({ type: frameTypes.settings, payload: noHeaderTable })]))
    socket.on(
      'data',
      frameReader((frame) => {
        const { type, flags: set } = frame
        if (type === frameTypes.settings && (set & flags.ack) === 0) {
          socket.write(frameBytes({ type: frameTypes.settings, flags: flags.ack }))
        }
        if (type === frameTypes.ping && (set & flags.ack) === 0) {
          socket.write(frameBytes({ ...frame, flags: flags.ack }))
        }
        if (type === frameTypes.settings || type === frameTypes.windowUpdate) return
        this.frames.push({ ...frame, payload: Buffer.from(frame.payload) })
      }, false)
    )
  }

  /** Sends a request, reads its answer in the middle, and sends the rest. */
  async split({ method, path, headers, bytesBefore, bytesAfter }: SplitRequest): Promise<SplitAnswer> {
    // The server's windows are known once its SETTINGS are here (RFC 9113 section 6.9.2).
    if (this.#nextStream === 1) await this.#ping()
    const stream = this.#nextStream
    this.#nextStream += 2
    const pseudo = { ':method': method, ':path': path, ':scheme': 'http', ':authority': 'localhost' }
    const hasBody = bytesBefore + bytesAfter > 0
    this.socket.write(
      frameBytes({
        type: frameTypes.headers,
        flags: flags.endHeaders | (hasBody ? 0 : flags.endStream),
        stream,
        payload: headerBlock(Object.entries({ ...pseudo, ...headers }))
      })
    )
    this.#send(stream, bytesBefore, false)
    const own = () => this.frames.filter((frame) => frame.stream === stream)
    const isEnded = () =>
      own().some(({ type, flags: set }) => type <= frameTypes.headers && (set & flags.endStream) !== 0)
    const isReset = () => own().some(({ type }) => type === frameTypes.rstStream)
    await reached(this.socket, () => isEnded() || isReset())
    await this.#ping()
    const wasReset = isReset()
    if (hasBody && !wasReset) this.#send(stream, bytesAfter, true)
    await this.#ping()
    const text = own()
      .filter(({ type }) => type === frameTypes.data)
      .map(({ payload }) => payload.toString())
      .join('')
    return { status: statusOf(own().find(({ type }) => type === frameTypes.headers)?.payload), text, wasReset }
  }

  #send(stream: number, bytes: number, ends: boolean): void {
    for (let left = bytes; left > 0; left -= frameBytesMax) {
      const payload = Buffer.alloc(Math.min(left, frameBytesMax), 0x20)
      this.socket.write(frameBytes({ type: frameTypes.data, stream, payload }))
    }
    if (ends) this.socket.write(frameBytes({ type: frameTypes.data, flags: flags.endStream, stream }))
  }

  /** Once it is answered, the server has seen all that was sent before, and its earlier frames are here. */
  async #ping(): Promise<void> {
    const before = this.frames.length
    this.socket.write(frameBytes({ type: frameTypes.ping, payload: Buffer.alloc(8) }))
    await reached(this.socket, () =>
      this.frames.slice(before).some(({ type, flags: set }) => type === frameTypes.ping && set === flags.ack)
    )
  }
}

/** The status of a header block of node:http2, which puts it first: in the static table, or as a literal. */
function statusOf(block: Buffer | undefined): number {
  // RFC 7541 appendix A.
  const indexed = [200, 204, 206, 304, 400, 404, 500]
  // A change of the table's size may come first (section 6.3).
  const at = block?.findIndex((byte) => (byte & 0xe0) !== 0x20) ?? -1
  const first = block?.[at] ?? 0
  if (first >= 0x88 && first <= 0x8e) return indexed[first - 0x88] ?? 0
  return at < 0 ? 0 : huffmanStatus(block?.subarray(at + 1) ?? Buffer.alloc(0))
}

/** Three digits in Huffman code (RFC 7541 appendix B): 0 to 2 have five bits, 3 to 9 six. */
function huffmanStatus(literal: Buffer): number {
  const length = (literal[0] ?? 0) & 0x7f
  const text = literal.subarray(1, 1 + length)
  if (((literal[0] ?? 0) & 0x80) === 0) return Number(text.toString())
  let bits = [...text].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  let digits = ''
  while (digits.length < 3 && bits.length >= 5) {
    const short = Number.parseInt(bits.slice(0, 5), 2)
    const long = Number.parseInt(bits.slice(0, 6), 2)
    const [digit, used] = short < 3 ? [short, 5] : [long - 0x19 + 3, 6]
    digits += digit
    bits = bits.slice(used)
  }
  return Number(digits)
}
