/**
 * The envelopes of streams: a byte of flags, the payload's length in four bytes, big-endian, the payload.
 * Source: Connect protocol, "Enveloped-Message" (the same prefix as gRPC's).
 */
import { BlobwireError } from '../core/error.ts'
import { allocate, concat } from '../platform/bytes.ts'

/** Bytes before each payload. */
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

/** An envelope in one piece: the payload is copied once, behind its header. */
export function encodeEnvelope(flags: number, payload: Uint8Array): Uint8Array {
  const envelope = allocate(envelopeHeaderBytes + payload.length)
  envelope[0] = flags
  writeLength(envelope, payload.length)
  envelope.set(payload, envelopeHeaderBytes)
  return envelope
}

/** Writes the header into the room in front of an uncompressed payload, so that its bytes need not be moved. */
export function sealEnvelope(pieces: readonly Uint8Array[]): void {
  const [first] = pieces
  if (first === undefined) return
  first[0] = 0
  writeLength(first, payloadBytes(pieces))
}

/** Of an envelope in pieces. */
export function payloadBytes(pieces: readonly Uint8Array[]): number {
  let bytes = -envelopeHeaderBytes
  for (const piece of pieces) bytes += piece.length
  return bytes
}

/** The payload of an envelope in pieces, in one. */
export function payloadOf(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces
  return (pieces.length === 1 && only ? only : concat(pieces)).subarray(envelopeHeaderBytes)
}

/** Takes one envelope; `payload` may be a view of what was pushed. */
export type EnvelopeReceiver = (flags: number, payload: Uint8Array) => void

const noBytes = new Uint8Array(0)

/**
 * Cuts a stream of chunks into envelopes. Each byte is copied at most once, however small the chunks, and an envelope
 * that is too large is refused by its header.
 */
export class EnvelopeParser {
  readonly #maxBytes: number
  readonly #receive: EnvelopeReceiver
  /** What is not yet a whole header, or the part of the payload that has come. */
  #held: Uint8Array = noBytes
  #heldBytes = 0
  /** Whole length of the envelope being held, header included; 0 = its header is not complete. */
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

  /** @throws BlobwireError `resource_exhausted` for a payload above `maxBytes`, and what the receiver throws */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) at = this.#heldBytes > 0 ? this.#resume(chunk, at) : this.#begin(chunk, at)
  }

  /** At the start of an envelope. Returns where it stopped reading. */
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

  /** Goes on with what is held, or begins to hold. */
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
