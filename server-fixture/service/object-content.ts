/** The content of an object that the server parses. */
import { BlobwireError } from '../../src/core/error.ts'
import { hashObject, type ObjectFormat, type ObjectKind } from '../../src/git/oid.ts'
import type { StoredObject } from '../store/store.ts'
import { notFound } from './errors.ts'

/** Larger trees and commits are not read. */
export const maxParsedBytes = 64 * 1024 * 1024

/** The object that is expected under an oid. */
export interface ExpectedObject {
  readonly oid: string
  readonly kind: ObjectKind
  readonly format: ObjectFormat
}

/**
 * The content of an object, read with `maxParsedBytes`.
 * @throws BlobwireError `not_found`; `failed_precondition`, reason `wrong_kind`; `data_loss` where the bytes are not those
 * of the oid; `resource_exhausted`
 */
export function contentOf({ oid, kind, format }: ExpectedObject, object: StoredObject | undefined): Uint8Array {
  if (object === undefined) throw notFound('object', `object ${oid} not found`)
  if (object.kind !== kind) {
    const message = `${oid} is a ${object.kind}, not a ${kind}`
    throw new BlobwireError({ reason: 'wrong_kind', message })
  }
  if (object.content === undefined) {
    const message = `the ${kind} ${oid} has ${object.size} bytes, more than the server parses`
    throw new BlobwireError({ code: 'resource_exhausted', message })
  }
  if (hashObject(kind, object.content, format) !== oid) {
    const message = `the ${kind} ${oid} is damaged: its bytes do not match its oid`
    throw new BlobwireError({ reason: 'integrity', message })
  }
  return object.content
}
