/** A session by hand: node:http2, five bytes of envelope, and any bytes that the test wants, without code of the client. */
import assert from 'node:assert/strict'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { deflateSync, gunzipSync, gzipSync, inflateSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { decode, encode } from '@msgpack/msgpack'

/** A message as it came. */
export interface RawMessage {
  readonly flags: number
  /** Decompressed and decoded; the end-stream message too. */
  // biome-ignore lint/suspicious/noExplicitAny: the values of a foreign decoder have no type
  readonly value: any
  /** Bytes on the wire. */
  readonly bytes: number
}

const storeBlob = (content: string) => ({ storeBlob: { content: Buffer.from(content) } })

/** A frame of storeBlob operations. */
export function frameOf(firstId: number, contents: readonly string[], repository = 'demo'): object {
  return { batch: { repository, firstId, operations: contents.map(storeBlob) } }
}

const compress = { gzip: gzipSync, zstd: zstdCompressSync, deflate: deflateSync } as const
const decompress = { gzip: gunzipSync, zstd: zstdDecompressSync, deflate: inflateSync } as const

export class RawSession {
  readonly connection: ClientHttp2Session
  readonly stream: ClientHttp2Stream
  readonly messages: RawMessage[] = []
  readonly #waiting: (() => void)[] = []
  #held: Buffer[] = []
  #heldBytes = 0
  /** With so many bytes, the next message is complete. */
  #neededBytes = 5
  status = 0
  contentType = ''
  encoding: string | undefined
  /** The stream has closed. */
  closed = false

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.connection = connect(url)
    this.connection.on('error', () => undefined)
    this.stream = this.connection.request({
      ':method': 'POST',
      ':path': '/blobwire.v1.VcsService/Session',
      'content-type': 'application/connect+msgpack',
      ...headers
    })
    this.stream.on('response', (response) => {
      this.status = Number(response[':status'])
      this.contentType = String(response['content-type'])
      this.encoding = response['connect-content-encoding'] as string | undefined
    })
    this.stream.on('data', (chunk: Buffer) => this.#take(chunk))
    this.stream.on('error', () => undefined)
    // Without its own end, the server would read on for as long as it drops what comes.
    this.stream.on('end', () => this.stream.end())
    this.stream.on('close', () => {
      this.closed = true
      this.connection.close()
      this.#wake()
    })
  }

  /** A message of the session, as MessagePack of another's making. */
  send(message: object, flags = 0, encoding: keyof typeof compress = 'gzip'): void {
    const plain = encode(message)
    this.sendBytes(flags === 1 ? compress[encoding](plain) : plain, flags)
  }

  sendBytes(payload: Uint8Array, flags = 0): void {
    const header = Buffer.alloc(5)
    header[0] = flags
    header.writeUInt32BE(payload.length, 1)
    this.stream.write(Buffer.concat([header, payload]))
  }

  /** Waits until so many messages have come, and gives them. */
  async received(count: number): Promise<RawMessage[]> {
    while (this.messages.length < count) {
      assert.equal(this.closed, false, `closed after ${this.messages.length} of ${count} messages`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    return this.messages
  }

  /** All messages, once the stream has closed. */
  async all(): Promise<RawMessage[]> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.messages
  }

  /** Results of all messages by id: the oid, or the code of the error. */
  get results(): Map<number, string> {
    const found = new Map<number, string>()
    for (const { flags, value } of this.messages) {
      if (flags & 2) continue
      for (const { id, result } of value.results ?? []) {
        assert.equal(found.has(id), false, `two results for ${id}`)
        found.set(id, result.error?.code ?? (Object.values(result)[0] as { oid: string }).oid)
      }
    }
    return found
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #take(chunk: Buffer): void {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes < this.#neededBytes) return
    let held = Buffer.concat(this.#held)
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const flags = held[0] as number
      const length = held.readUInt32BE(1)
      const payload = held.subarray(5, 5 + length)
      const plain = flags & 1 ? decompress[this.encoding as keyof typeof decompress](payload) : payload
      const value = flags & 2 ? JSON.parse(plain.toString()) : decode(plain)
      this.messages.push({ flags, value, bytes: length })
      held = held.subarray(5 + length)
    }
    this.#held = [held]
    this.#heldBytes = held.length
    this.#neededBytes = held.length < 5 ? 5 : 5 + held.readUInt32BE(1)
    this.#wake()
  }
}
