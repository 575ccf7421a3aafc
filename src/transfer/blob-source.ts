/** The blob that a download reads. */
import { BlobwireError } from '../core/error.ts'
import { isOid } from '../git/oid.ts'
import { malformedResponse } from '../transport/errors.ts'
import type { DownloadAttempt, IncomingBlob } from '../transport/transfer.ts'

/** Where the blob is: an oid, or else a revision and a path. */
export type Address = Pick<DownloadAttempt, 'repository' | 'oid' | 'revision' | 'path'>

/** The error of bytes that are not those of the blob. */
export function contentMismatch(message: string): BlobwireError {
  return new BlobwireError({ reason: 'integrity', message, sent: 'processed', attempts: 1 })
}

/**
 * An address until the first answer, and the oid that it told from then on: a branch that moves while a download is under
 * way must not join two versions of a file.
 */
export class BlobSource {
  #address: Address
  #size: number | undefined

  constructor(address: Address) {
    this.#address = address
  }

  get address(): Address {
    return this.#address
  }

  /** Undefined before the first answer. */
  get found(): { readonly oid: string; readonly size: number } | undefined {
    return this.#size === undefined ? undefined : { oid: this.#address.oid, size: this.#size }
  }

  /** Takes the beginning of an answer. @throws BlobwireError where it is that of another blob */
  take({ oid, size }: IncomingBlob): void {
    if (!isOid(oid)) throw malformed(`${JSON.stringify(oid.slice(0, 80))} is not an oid`)
    if (!Number.isSafeInteger(size) || size < 0) throw malformed(`${size} is not the size of a blob`)
    const { oid: expected, repository } = this.#address
    if (expected !== '' && oid !== expected) {
      throw contentMismatch(`the server answered with another blob: expected ${expected}, got ${oid}`)
    }
    if (this.#size !== undefined && size !== this.#size) {
      throw contentMismatch(`the server told two sizes of blob ${oid}: ${this.#size} bytes, and then ${size}`)
    }
    this.#size = size
    if (expected === '') this.#address = { repository, oid, revision: '', path: '' }
  }
}

const malformed = (description: string) => malformedResponse(description).with({ attempts: 1 })
