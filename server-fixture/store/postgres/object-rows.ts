/** Objects as rows, and back. */
import { promisify } from 'node:util'
import { deflate, deflateSync, inflate, inflateSync } from 'node:zlib'
import { looksCompressible } from '../../../src/compression/sample.ts'
import { BlobwireError } from '../../../src/core/error.ts'
import type { ObjectKind } from '../../../src/git/oid.ts'
import type { NewObject } from '../store.ts'
import { bigintArray, byteaArray, oidArray, smallintArray } from './binary-arrays.ts'
import type { Statement } from './database/database.ts'

/** Numbers of kinds, as in packs. Source: gitformat-pack(5), "Object types". */
const kindNumbers: Readonly<Record<ObjectKind, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 }
const kinds: readonly (ObjectKind | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag']

/** Larger contents lie in chunks. */
export const maxRowBytes = 1024 * 1024
/** Shorter contents are stored as they are: deflate saves nothing. */
const deflatedFromBytes = 64
/** Larger contents are deflated and inflated on libuv's threads, so that they do not stop the event loop. */
const threadedFromBytes = 16 * 1024
const inflatedBesideFromBytes = 4 * 1024
/** `Z_MIN_CHUNK` of Node. */
const minChunkBytes = 64
/**
 * A dependency tree takes 5 % less disk than with level 1, for 10 % more time, and small contents cost the same; higher levels
 * cost 1.5 to 5 times the time.
 */
const level = 3

const encodings = { plain: 0, zlib: 1 } as const

const deflateAsync = promisify(deflate) as (content: Uint8Array, options: { level: number }) => Promise<Buffer>
const inflateAsync = promisify(inflate) as (content: Uint8Array, options: object) => Promise<Buffer>

/** An object as its row has it. */
export interface EncodedContent {
  readonly encoding: number
  readonly content: Uint8Array
}

/** The row of an object, or its part that was asked for. `size` is a bigint. */
export interface ObjectRow {
  readonly oid: Buffer
  readonly kind: number
  readonly encoding: number
  readonly size: string
  /** Null = not asked for, or in chunks. */
  readonly content: Buffer | null
  readonly content_id: string | null
}

/** Kind of the object in a row. */
export const kindOf = ({ kind }: Pick<ObjectRow, 'kind'>): ObjectKind => kinds[kind] as ObjectKind

/**
 * Stores objects of one repository; it returns a row for each that was not there. None means that all were there, or that
 * there is no such repository. Rows are sorted, so that overlapping statements of two servers wait for each other in one
 * order.
 *
 * @param id of the repository
 */
export async function insertObjects(id: string, objects: readonly NewObject[]): Promise<Statement> {
  const sorted = objects.length === 1 ? objects : objects.toSorted((left, right) => (left.oid < right.oid ? -1 : 1))
  const contents = await encodeContents(sorted)
  return {
    name: 'insert objects',
    text: `INSERT INTO objects (repository, oid, kind, encoding, size, content)
      SELECT r.id, o.oid, o.kind, o.encoding, o.size, o.content
      FROM repositories r, unnest($2::bytea[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bytea[])
        AS o (oid, kind, encoding, size, content)
      WHERE r.id = $1 ON CONFLICT DO NOTHING RETURNING 1 AS added`,
    values: [
      id,
      oidArray(sorted.map(({ oid }) => oid)),
      smallintArray(sorted.map(({ kind }) => kindNumbers[kind])),
      smallintArray(contents.map(({ encoding }) => encoding)),
      bigintArray(sorted.map(({ content }) => content.length)),
      byteaArray(contents.map(({ content }) => content))
    ]
  }
}

async function encodeContents(objects: readonly NewObject[]): Promise<EncodedContent[]> {
  const encoded = objects.map(({ content }) =>
    content.length < threadedFromBytes ? encodeAtOnce(content) : encodeBeside(content)
  )
  return encoded.some((one) => one instanceof Promise) ? Promise.all(encoded) : (encoded as EncodedContent[])
}

function encodeAtOnce(content: Uint8Array): EncodedContent {
  if (content.length < deflatedFromBytes) return { encoding: encodings.plain, content }
  return smaller(content, deflateSync(content, { level }))
}

async function encodeBeside(content: Uint8Array): Promise<EncodedContent> {
  if (!looksCompressible(content)) return { encoding: encodings.plain, content }
  return smaller(content, await deflateAsync(content, { level }))
}

const smaller = (content: Uint8Array, deflated: Uint8Array): EncodedContent =>
  deflated.length < content.length
    ? { encoding: encodings.zlib, content: deflated }
    : { encoding: encodings.plain, content }

/** Whether the content is a zlib stream, which packs and clients take as it is. */
export const isDeflated = ({ encoding }: Pick<EncodedContent, 'encoding'>): boolean => encoding === encodings.zlib

/**
 * The content of a row that is deflated. It lies in memory of its own size: zlib takes 16 KiB for any, which a cache would
 * hold, and not count.
 *
 * @throws BlobwireError `data_loss`, reason `integrity`
 */
export function inflateContent(deflated: Uint8Array, size: number): Promise<Uint8Array> | Uint8Array {
  const options = { chunkSize: Math.max(minChunkBytes, size + 1), maxOutputLength: size + 1 }
  if (deflated.length > inflatedBesideFromBytes) return inflateAsync(deflated, options).catch(damaged)
  try {
    return inflateSync(deflated, options)
  } catch (cause) {
    return damaged(cause)
  }
}

function damaged(cause: unknown): never {
  throw new BlobwireError({ reason: 'integrity', message: 'an object is damaged in the store', cause })
}
