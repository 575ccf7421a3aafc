/** The bytes that uploads hold which are not complete. */
import { BlobwireError } from '../../../src/core/error.ts'
import type { UploadFigures } from '../../metrics/snapshot.ts'

/** An upload costs a file or a row, however few bytes it holds. */
const maxUploads = 10_000

export class UploadQuota {
  maxBytes = Number.POSITIVE_INFINITY
  /** By place. */
  readonly #held = new Map<string, number>()
  #total = 0

  /** Bytes of all uploads. */
  get heldBytes(): number {
    return this.#total
  }

  figures(): UploadFigures {
    return { uploads: this.#held.size, heldBytes: this.#total, maxBytes: this.maxBytes }
  }

  /** Of all uploads. */
  places(): Iterable<string> {
    return this.#held.keys()
  }

  /** The upload holds so many bytes. */
  set(place: string, bytes: number): void {
    this.delete(place)
    this.#held.set(place, bytes)
    this.#total += bytes
  }

  /** The upload is complete or gone. */
  delete(place: string): void {
    this.#total -= this.#held.get(place) ?? 0
    this.#held.delete(place)
  }

  /** Counts anew, by bytes of each place, but for the places that this server knows better. */
  recount(held: Iterable<readonly [string, number]>, isKnownHere: (place: string) => boolean): void {
    for (const place of [...this.#held.keys()]) if (!isKnownHere(place)) this.delete(place)
    for (const [place, bytes] of held) if (!isKnownHere(place)) this.set(place, bytes)
  }

  /** @throws `resource_exhausted`, reason `upload_quota`, where there is no room for another upload */
  checkNew(): void {
    if (this.#held.size >= maxUploads) throw exceeded(`there are ${maxUploads} uploads that are not complete`)
    if (this.#total >= this.maxBytes) throw this.#full(0)
  }

  /** Takes room for more bytes of an upload. @throws `resource_exhausted`, reason `upload_quota` */
  take(place: string, bytes: number): void {
    if (this.#total + bytes > this.maxBytes) throw this.#full(bytes)
    this.#held.set(place, (this.#held.get(place) ?? 0) + bytes)
    this.#total += bytes
  }

  #full(bytes: number): BlobwireError {
    const actual = this.#total + bytes
    const message = `uploads that are not complete hold ${this.#total} bytes; max_upload_bytes is ${this.maxBytes}`
    return exceeded(message).with({ details: { limit: { limit: 'max_upload_bytes', maximum: this.maxBytes, actual } } })
  }
}

function exceeded(message: string): BlobwireError {
  return new BlobwireError({ reason: 'upload_quota', message })
}
