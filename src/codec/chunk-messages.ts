/**
 * The messages of UploadBlob and DownloadBlob as gRPC has them, read without putting them together: a blob's bytes pass on
 * in the pieces in which they come. A copy of each message takes longer than to hash it, and is garbage outside of the
 * heap, which V8 lets grow to 64 MiB before it collects.
 */
import type { MessageName } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { compressedFlag, EnvelopeParser, envelopeHeaderBytes } from './envelope.ts'
import { decodeProtobuf } from './protobuf.ts'
import { type ProtobufField, protobufMessage, wireTypes } from './protobuf-fields.ts'

/** The messages that carry a blob. */
export type ChunkMessageName = MessageName & ('UploadBlobRequest' | 'DownloadBlobResponse')

/** How the messages of a stream are read. */
export interface ChunkReading<Name extends ChunkMessageName> {
  readonly type: Name
  /** Bounds one message. */
  readonly maxBytes: number
  /** Takes a message, or the next part of one: a message of its own, with its offset. `chunk` is a view. */
  readonly receive: (message: Messages[Name]) => void
  /** Takes a message that has come as a whole: `receive` gets its parts only where its chunk is its last field. */
  readonly receiveWhole: (flags: number, payload: Uint8Array) => void
}

const noBytes = new Uint8Array(0)

/** Parses a stream of pieces. */
export class ChunkMessages<Name extends ChunkMessageName> {
  readonly #reading: ChunkReading<Name>
  readonly #whole: EnvelopeParser
  readonly #empty: Messages[Name]
  readonly #chunkTag: number
  /** Bytes that the chunk under way has still to come, and the offset of the next of them. */
  #leftBytes = 0
  #offset = 0

  constructor(reading: ChunkReading<Name>) {
    const { type, maxBytes, receiveWhole } = reading
    this.#reading = reading
    this.#whole = new EnvelopeParser(maxBytes, receiveWhole)
    this.#empty = decodeProtobuf(type, noBytes)
    this.#chunkTag = (protobufMessage(type).byName.get('chunk') as ProtobufField).tag
  }

  /** Whether a message has begun and not ended. */
  get incomplete(): boolean {
    return this.#leftBytes > 0 || this.#whole.incomplete
  }

  /** Bytes for which there is room, of a message that is put together all the same. */
  get heldBytes(): number {
    return this.#whole.wantedBytes
  }

  /** @throws BlobwireError as `EnvelopeParser`, and as `decodeProtobuf` */
  push(piece: Uint8Array): void {
    let at = 0
    while (at < piece.length) {
      if (this.#leftBytes > 0) at = this.#pass(this.#empty, piece, at)
      else at = this.#begin(piece, at) ?? this.#whole.next(piece, at)
    }
  }

  /** Passes on what the piece has of the chunk. Returns the position behind it. */
  #pass(message: Messages[Name], piece: Uint8Array, at: number): number {
    const chunk = piece.subarray(at, at + this.#leftBytes)
    const offset = this.#offset
    this.#leftBytes -= chunk.length
    this.#offset += chunk.length
    this.#reading.receive({ ...message, offset, chunk })
    return at + chunk.length
  }

  /** Begins a message that goes beyond the piece; undefined = it has to be put together. */
  #begin(piece: Uint8Array, at: number): number | undefined {
    const begin = at + envelopeHeaderBytes
    if (this.#whole.incomplete || begin > piece.length || piece[at] === compressedFlag) return undefined
    const { byteLength, byteOffset, buffer } = piece
    const length = new DataView(buffer, byteOffset, byteLength).getUint32(at + 1)
    const { type, maxBytes } = this.#reading
    if (length > maxBytes || begin + length <= piece.length) return undefined
    const place = findLast(piece, { at: begin, end: begin + length, tag: this.#chunkTag })
    if (place === undefined) return undefined
    const message = decodeProtobuf(type, piece.subarray(begin, place.fieldsEnd))
    // It is complete with its last byte, not with its first.
    if ('complete' in message && message.complete) return undefined
    this.#leftBytes = begin + length - place.content
    this.#offset = message.offset
    return this.#pass(message, piece, place.content)
  }
}

interface Search {
  readonly at: number
  /** Of the message, which may be behind that of the bytes. */
  readonly end: number
  readonly tag: number
}

/** Where the content of a field begins that is the last one of a message; undefined = it is not, or not to be seen yet. */
function findLast(
  bytes: Uint8Array,
  { at: begin, end, tag }: Search
): { fieldsEnd: number; content: number } | undefined {
  let at = begin
  /** @throws nothing; beyond the bytes it is not a number */
  const varint = () => {
    let value = 0
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = bytes[at++] ?? Number.NaN
      value += (byte & 127) * scale
      if (!(byte >= 128)) return byte >= 0 ? value : Number.NaN
    }
    return Number.NaN
  }
  while (at < bytes.length) {
    const fieldsEnd = at
    const found = varint()
    if ((found & 7) === wireTypes.varint) varint()
    else if ((found & 7) === wireTypes.length) {
      const length = varint()
      if (found === tag) return at + length === end && at <= bytes.length ? { fieldsEnd, content: at } : undefined
      at += length
    } else return undefined
    if (Number.isNaN(at)) return undefined
  }
  return undefined
}
