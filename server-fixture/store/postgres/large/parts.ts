/** Parts of large content: each is a row, deflated where that makes it smaller. */
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import { looksCompressible } from '../../../../src/compression/sample.ts'
import { BlobwireError } from '../../../../src/core/error.ts'

/** Bytes of a part, before it is deflated: all of a content but the last. */
export const partBytes = 1024 * 1024

/** Less is not deflated, as in rows of objects. */
const minDeflatedBytes = 64

const deflated = promisify<Uint8Array, object, Buffer>(deflate)
const inflated = promisify<Uint8Array, object, Buffer>(inflate)

/** A part as it is stored. `encoding`: 0 = as it is, 1 = zlib. */
export interface EncodedPart {
  readonly encoding: number
  readonly content: Uint8Array
}

/** Deflates the bytes on a thread, where a sample promises that it pays and it does. */
export async function encodePart(bytes: Uint8Array): Promise<EncodedPart> {
  if (bytes.length > minDeflatedBytes && looksCompressible(bytes)) {
    const content = await deflated(bytes, { level: 1 })
    if (content.length < bytes.length) return { encoding: 1, content }
  }
  return { encoding: 0, content: bytes }
}

/** @throws `data_loss`, reason `integrity`, where the part is damaged */
export async function decodePart({ encoding, content }: EncodedPart): Promise<Uint8Array> {
  if (encoding === 0) return content
  try {
    return await inflated(content, { maxOutputLength: partBytes })
  } catch (cause) {
    throw new BlobwireError({ reason: 'integrity', message: 'a part of a large object is damaged in the store', cause })
  }
}
