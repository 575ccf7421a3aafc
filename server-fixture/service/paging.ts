/** Pages of listings. */
import { invalidArgument } from '../../src/core/error.ts'

/** The content of a page token: the listing, and the position after the last page. */
type Position = readonly (string | number | boolean)[]

/** The opaque token of the next page. */
export function pageToken(kind: string, position: Position): string {
  return Buffer.from(JSON.stringify([kind, ...position])).toString('base64url')
}

/**
 * The content of a token; undefined for the empty token.
 * @throws BlobwireError `invalid_argument` unless the token came from the same kind of listing
 */
export function readPageToken(kind: string, token: string, types: readonly string[]): Position | undefined {
  if (token === '') return undefined
  let values: unknown
  try {
    values = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    values = undefined
  }
  const expected = ['string', ...types]
  const fits =
    Array.isArray(values) &&
    values.length === expected.length &&
    values[0] === kind &&
    values.every((value, index) => typeof value === expected[index] && (typeof value !== 'number' || value >= 0))
  if (!fits) throw invalidArgument('pageToken', 'must be the nextPageToken of an earlier page of the same listing')
  return (values as Position).slice(1)
}

/** The number of items on a page: the requested one, within the limit. */
export function pageSize(asked: number, usual: number, most: number): number {
  return asked === 0 ? usual : Math.min(asked, most)
}
