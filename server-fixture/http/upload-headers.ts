/**
 * Headers of resumable uploads. Source: draft-ietf-httpbis-resumable-upload sections 4.1 (state) and 4.2; RFC 9651
 * (structured fields); RFC 9530 (digests). As the draft has it, a header with another type of value is ignored.
 */
import { invalidArgument } from '../../src/core/error.ts'
import type { Limits } from '../../src/schema/default-limits.ts'
import { type Exchange, headerOf } from './exchange.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** An upload as the headers of a request describe it. */
export interface UploadHeaders {
  /** The body is the rest of the content; undefined = the header is missing. */
  readonly complete: boolean | undefined
  readonly offset: number | undefined
  /** Of the whole content, from either header that tells; undefined = not told. */
  readonly size: number | undefined
}

function integerOf(text: string | undefined): number | undefined {
  // An item may have parameters (RFC 9651 section 3.3).
  const [, digits] = /^ *(\d{1,15})(?:;.*)? *$/.exec(text ?? '') ?? []
  return digits === undefined ? undefined : Number(digits)
}

function booleanOf(text: string | undefined): boolean | undefined {
  const [, digit] = /^ *\?([01])(?:;.*)? *$/.exec(text ?? '') ?? []
  return digit === undefined ? undefined : digit === '1'
}

/** @throws BlobwireError `invalid_argument` where two headers tell different lengths */
export function readUploadHeaders(exchange: Exchange): UploadHeaders {
  const complete = booleanOf(headerOf(exchange, 'upload-complete'))
  const offset = integerOf(headerOf(exchange, 'upload-offset'))
  const declared = integerOf(headerOf(exchange, 'upload-length'))
  const content = integerOf(headerOf(exchange, 'content-length'))
  const counted = complete === false || content === undefined ? undefined : (offset ?? 0) + content
  if (declared !== undefined && counted !== undefined && declared !== counted) {
    throw invalidArgument('upload-length', `must be ${counted}, the length that offset and content-length make`)
  }
  return { complete, offset, size: declared ?? counted }
}

/**
 * The digests of the whole content, from headers or trailers; undefined = not told.
 * @throws BlobwireError `invalid_argument` for a SHA-256 that is none: the client counts on its being compared
 */
export function digestsOf(headers: Headers): { oid: string | undefined; sha256: Uint8Array | undefined } {
  const text = (name: string) => [headers[name] ?? []].flat().join(',')
  const [, digest] = /(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(text('repr-digest')) ?? []
  if (digest === undefined && /(?:^|,)\s*sha-256\s*=/.test(text('repr-digest'))) {
    throw invalidArgument('repr-digest', 'must be sha-256=:...: with the base64 of 32 bytes')
  }
  return {
    oid: text('blobwire-oid') || undefined,
    sha256: digest === undefined ? undefined : Buffer.from(digest, 'base64')
  }
}

/** The value of `Upload-Limit`. */
export function uploadLimit({ maxBlobBytes, uploadIdleSeconds }: Limits): string {
  return `max-size=${maxBlobBytes}, max-age=${uploadIdleSeconds}`
}
