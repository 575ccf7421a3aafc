/** The tag object. Source: Git's "Git Objects". */
import { BlobwireError } from '../core/error.ts'
import { decodeUtf8, toNative } from '../platform/bytes.ts'
import { isOid, type ObjectKind } from './oid.ts'

/** The headers of an annotated tag. */
export interface Tag {
  readonly object: string
  readonly kind: ObjectKind
  readonly tag: string
}

const form = /^object ([0-9a-f]+)\ntype (blob|tree|commit|tag)\ntag ([^\n]*)\n/

/**
 * Reads a tag object.
 * @throws BlobwireError `data_loss`, reason `integrity`, for malformed bytes
 */
export function parseTag(content: Uint8Array): Tag {
  const text = decodeUtf8(toNative(content))
  const [, object = '', kind, tag = ''] = form.exec(text) ?? []
  if (!isOid(object) || kind === undefined) {
    throw new BlobwireError({ reason: 'integrity', message: 'the tag is damaged: its bytes are not a tag object' })
  }
  return { object, kind: kind as ObjectKind, tag }
}
