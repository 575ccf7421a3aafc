/** Page tokens: where a listing goes on. They hold all of it, so that any server of the same data can go on. */
import { invalidArgument } from '../../src/core/error.ts'
import type { ObjectKind } from '../../src/git/oid.ts'
import { checkOid, notFound, precondition } from './errors.ts'
import type { Workspace } from './workspace.ts'

/** Begins every token; another number = a token of another version of the server. */
const version = 1
/** The longest tokens are those of deep trees, and of paths that JSON escapes. */
const maxTokenLength = 64 * 1024

interface FieldTypes {
  readonly text: string
  readonly flag: boolean
  /** A whole number of at least 0. */
  readonly count: number
  readonly counts: readonly number[]
}

type Fields = readonly (keyof FieldTypes)[]

/** The fields of a token of one kind of listing. */
type Position<Types extends Fields> = { -readonly [Index in keyof Types]: FieldTypes[Types[Index]] }

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

const fits: { readonly [Type in keyof FieldTypes]: (value: unknown) => boolean } = {
  text: (value) => typeof value === 'string',
  flag: (value) => typeof value === 'boolean',
  count: isCount,
  counts: (value) => Array.isArray(value) && value.every(isCount)
}

/** The tokens of one kind of listing. */
export class PageTokens<const Types extends Fields> {
  readonly #kind: string
  readonly #types: Types

  constructor(kind: string, types: Types) {
    this.#kind = kind
    this.#types = types
  }

  /** The opaque token of a position. */
  write(...position: Position<Types>): string {
    return Buffer.from(JSON.stringify([version, this.#kind, ...position])).toString('base64url')
  }

  /**
   * The position that a token holds; undefined for the empty token.
   * @throws BlobwireError `invalid_argument` unless the token came from the same kind of listing
   */
  read(token: string): Position<Types> | undefined {
    if (token === '') return undefined
    const [tokenVersion, kind, ...values] = parse(token)
    const isOfThisKind = tokenVersion === version && kind === this.#kind && values.length === this.#types.length
    if (!isOfThisKind || !this.#types.every((type, index) => fits[type](values[index]))) throw invalidPageToken()
    return values as Position<Types>
  }
}

/** The error of a token that no earlier page can have had. */
export function invalidPageToken(): Error {
  return invalidArgument('pageToken', 'must be the nextPageToken of an earlier page of the same listing')
}

function parse(token: string): unknown[] {
  if (token.length > maxTokenLength) throw invalidPageToken()
  try {
    const values: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    return Array.isArray(values) ? values : []
  } catch {
    throw invalidPageToken()
  }
}

/** Checks that the repository has the object of a token, and as it is now. @throws BlobwireError */
export async function checkPinned(workspace: Workspace, kind: ObjectKind, oid: string): Promise<void> {
  const info = await workspace.info(checkOid('pageToken', oid, workspace.format))
  if (info === undefined) throw notFound('object', `object ${oid} not found`)
  if (info.kind !== kind) throw precondition('wrong_kind', `${oid} is a ${info.kind}, not a ${kind}`)
}
