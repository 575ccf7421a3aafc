/**
 * The envelopes of streams: one byte of flags, the length of the payload in four bytes (big-endian), and the payload.
 * Source: Connect protocol, "Enveloped-Message" (the same prefix as gRPC's).
 */
import { BlobwireError } from '../core/error.ts'
import { allocate, concat } from '../platform/bytes.ts'

/** Length of the header in front of each payload. */
export const envelopeHeaderBytes = 5
/** The payload is compressed. */
export const compressedFlag = 0x01
/** The payload is the end-stream message of Connect, always JSON. */
export const endStreamFlag = 0x02

function writeLength(header: Uint8Array, length: number): void {
  header[1] = length >>> 24
  header[2] = length >>> 16
  header[3] = length >>> 8
  header[4] = length
}

/** An envelope in one piece, with a copy of the payload. */
export function encodeEnvelope(flags: number, payload: Uint8Array): Uint8Array {
  const envelope = allocate(envelopeHeaderBytes + payload.length)
  envelope[0] = flags
  writeLength(envelope, payload.length)
  envelope.set(payload, envelopeHeaderBytes)
  return envelope
}

/** Writes the header of an uncompressed payload, which is not copied, into the headroom of the piece in front of `restBytes`. */
export function sealEnvelopeHead(first: Uint8Array, restBytes: number): Uint8Array {
  first[0] = 0
  writeLength(first, first.length - envelopeHeaderBytes + restBytes)
  return first
}

/** Writes the header into the headroom of an uncompressed payload, which is not copied. */
export function sealEnvelope(pieces: readonly Uint8Array[]): void {
  const [first] = pieces
  if (first === undefined) return
  first[0] = 0
  writeLength(first, payloadBytes(pieces))
}

/** Length of the payload of an envelope in pieces. */
export function payloadBytes(pieces: readonly Uint8Array[]): number {
  let bytes = -envelopeHeaderBytes
  for (const piece of pieces) bytes += piece.length
  return bytes
}

/** The payload of an envelope in pieces, as one piece. */
export function payloadOf(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces
  return (pieces.length === 1 && only ? only : concat(pieces)).subarray(envelopeHeaderBytes)
}

/** Takes one envelope; `payload` may be a view of a chunk. */
export type EnvelopeReceiver = (flags: number, payload: Uint8Array) => void

const noBytes = new Uint8Array(0)

/**
 * Parses a stream of chunks into envelopes. Each byte is copied at most once, however small the chunks, and an envelope
 * that is too large is refused when its header has come.
 */
export class EnvelopeParser {
  readonly #maxBytes: number
  readonly #receive: EnvelopeReceiver
  /** An incomplete envelope. */
  #held: Uint8Array = noBytes
  #heldBytes = 0
  /** Length of the incomplete envelope with its header; 0 = the header itself is incomplete. */
  #wanted = 0

  /** `maxBytes` bounds one payload. */
  constructor(maxBytes: number, receive: EnvelopeReceiver) {
    this.#maxBytes = maxBytes
    this.#receive = receive
  }

  /** Whether an envelope has begun and not ended. */
  get incomplete(): boolean {
    return this.#heldBytes > 0
  }

  /** Length of the incomplete envelope, for which there is room already; 0 = its header has not come. */
  get wantedBytes(): number {
    return this.#wanted
  }

  /** @throws BlobwireError `resource_exhausted` for a payload above `maxBytes`, and the receiver's errors */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) at = this.next(chunk, at)
  }

  /** As `push`, from `at` to the end of one envelope or of the chunk. Returns the position behind the bytes read. */
  next(chunk: Uint8Array, at: number): number {
    return this.#heldBytes > 0 ? this.#resume(chunk, at) : this.#begin(chunk, at)
  }

  /** Reads from the start of an envelope. Returns the position behind the bytes read. */
  #begin(chunk: Uint8Array, at: number): number {
    const available = chunk.length - at
    if (available >= envelopeHeaderBytes) {
      const length = this.#lengthAt(chunk, at)
      if (available >= length) {
        this.#receive(chunk[at] as number, chunk.subarray(at + envelopeHeaderBytes, at + length))
        return at + length
      }
      this.#hold(length)
    } else this.#hold(0)
    return this.#resume(chunk, at)
  }

  /** Adds to the incomplete envelope. Returns the position behind the bytes read. */
  #resume(chunk: Uint8Array, at: number): number {
    const target = this.#wanted || envelopeHeaderBytes
    const take = Math.min(target - this.#heldBytes, chunk.length - at)
    this.#held.set(take === chunk.length ? chunk : chunk.subarray(at, at + take), this.#heldBytes)
    this.#heldBytes += take
    if (this.#heldBytes < target) return at + take
    if (this.#wanted === 0) {
      const header = this.#held
      this.#hold(this.#lengthAt(header, 0))
      this.#held.set(header)
      this.#heldBytes = envelopeHeaderBytes
      if (this.#wanted > envelopeHeaderBytes) return at + take
    }
    const envelope = this.#held
    this.#held = noBytes
    this.#heldBytes = 0
    this.#wanted = 0
    this.#receive(envelope[0] as number, envelope.subarray(envelopeHeaderBytes))
    return at + take
  }

  #hold(wanted: number): void {
    this.#held = allocate(wanted || envelopeHeaderBytes)
    this.#wanted = wanted
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    let length = 0
    for (let place = 1; place < envelopeHeaderBytes; place++) length = length * 256 + (bytes[at + place] as number)
    if (length > this.#maxBytes) {
      const message = `a message of ${length} bytes exceeds the limit of ${this.#maxBytes} bytes`
      const details = { limit: { limit: 'max_batch_bytes', maximum: this.#maxBytes, actual: length } }
      throw new BlobwireError({ code: 'resource_exhausted', message, details })
    }
    return length + envelopeHeaderBytes
  }
}
