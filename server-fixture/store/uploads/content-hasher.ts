/** Hashes the content of an upload as it comes, and says which oid it has. */
import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BlobwireError } from '../../../src/core/error.ts'
import type { ObjectFormat } from '../../../src/git/oid.ts'
import { chunkOver } from '../../loop-turns.ts'
import type { ContentDigests } from '../large-content.ts'

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** What is hashed: a content of this size, for an oid of this format. */
interface Hashed {
  readonly identity?: string | undefined
  readonly objectFormat: ObjectFormat
  /** Undefined = known at the end alone. */
  readonly size: number | undefined
}

/** The hash that becomes the oid of a blob of this size. */
const blobHash = (format: ObjectFormat, size: number): Hash => createHash(format).update(`blob ${size}\0`, 'latin1')

/**
 * An oid begins with the size. A content whose size is not known until its end has the SHA-256 that the client computes,
 * too, and a second pass over what is held finds its oid. A checksum tells whether both passes saw the same bytes.
 */
export class ContentHasher {
  readonly #hashed: Hashed
  readonly #hash: Hash
  #checksum = 0
  /** Bytes hashed. */
  #offset = 0

  constructor(hashed: Hashed) {
    this.#hashed = hashed
    this.#hash = hashed.size === undefined ? createHash('sha256') : blobHash(hashed.objectFormat, hashed.size)
  }

  /** Whether all that the spool holds was hashed, and nothing else. */
  fits({ identity, size, offset }: Hashed & { readonly offset: number }): boolean {
    return offset === this.#offset && size === this.#hashed.size && identity === this.#hashed.identity
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    if (this.#hashed.size === undefined) this.#checksum = crc32(chunk, this.#checksum)
    this.#offset += chunk.length
  }

  /** The same for much at once, in turns with other work. */
  async updateAll(chunks: Chunks): Promise<void> {
    for await (const chunk of chunks) {
      this.update(chunk)
      await chunkOver()
    }
  }

  /**
   * The oid of the content, which is complete.
   * @param read reads what is held, from its beginning
   * @throws `data_loss`, reason `integrity`, where the content is not the one of the digests
   */
  async oid(digests: ContentDigests, read: () => Chunks): Promise<string> {
    const { size, objectFormat } = this.#hashed
    const digest = this.#hash.copy().digest()
    let oid: string
    if (size === undefined) {
      checkSha256(digests, digest)
      const oids = blobHash(objectFormat, this.#offset)
      let checksum = 0
      await eachChunk(read(), (chunk) => {
        oids.update(chunk)
        checksum = crc32(chunk, checksum)
      })
      if (checksum !== this.#checksum) throw mismatch('the server holds other bytes than those that came')
      oid = oids.digest('hex')
    } else {
      oid = digest.toString('hex')
      if (digests.oid === undefined && digests.sha256 !== undefined) {
        const sha256 = createHash('sha256')
        await eachChunk(read(), (chunk) => sha256.update(chunk))
        checkSha256(digests, sha256.digest())
      }
    }
    if (digests.oid !== undefined && digests.oid !== oid) {
      throw mismatch(`its bytes have the oid ${oid}, not ${digests.oid}`)
    }
    return oid
  }
}

async function eachChunk(chunks: Chunks, work: (chunk: Uint8Array) => void): Promise<void> {
  for await (const chunk of chunks) {
    work(chunk)
    await chunkOver()
  }
}

function checkSha256({ sha256 }: ContentDigests, found: Uint8Array): void {
  if (sha256 === undefined || Buffer.compare(sha256, found) === 0) return
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  throw mismatch(`its bytes have the SHA-256 ${hex(found)}, not ${hex(sha256)}`)
}

function mismatch(problem: string): BlobwireError {
  return new BlobwireError({ reason: 'integrity', message: `the upload is not stored: ${problem}` })
}
