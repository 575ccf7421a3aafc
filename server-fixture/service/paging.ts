import { invalidArgument } from '../../src/core/error.ts'

/** What a page token carries: what is listed, and how far the pages before went. */
type Position = readonly (string | number | boolean)[]

/** An opaque token for going on. */
export function pageToken(kind: string, position: Position): string {
  return Buffer.from(JSON.stringify([kind, ...position])).toString('base64url')
}

/**
 * What a token carries; undefined for the empty token.
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

/** How many items a page has: what was asked, within what is allowed. */
export function pageSize(asked: number, usual: number, most: number): number {
  return asked === 0 ? usual : Math.min(asked, most)
}
