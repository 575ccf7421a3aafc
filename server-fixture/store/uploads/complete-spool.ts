/** An upload that has become a blob: what is remembered of it. */
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { StoredBlob } from '../large-content.ts'
import type { Spool } from './spool.ts'

export function completeSpool(
  blob: StoredBlob,
  { format, size }: { format: ObjectFormat; size?: number | undefined }
): Spool {
  return {
    objectFormat: format,
    size,
    offset: blob.size,
    blob,
    append: () => undefined,
    read: () => [],
    become: async () => ({ ...blob, created: false }),
    close: async () => undefined
  }
}
