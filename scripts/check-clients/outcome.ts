/** The call kinds that each client tries, and how they went. */

/** The columns of the table. */
export const kinds = {
  unary: 'unary',
  error: 'typed error',
  upload: 'client stream',
  download: 'server stream',
  session: 'bidi stream',
  get: 'GET',
  reflection: 'reflection'
} as const

/** A column. */
export type Kind = keyof typeof kinds

/** How a call went: `works`, or the text of the failure. Undefined = the client has no such call. */
export type Cells = Partial<Record<Kind, string>>

/** A client with one protocol. */
export interface Row {
  readonly client: string
  readonly version: string
  readonly protocol: string
  readonly cells: Cells
}

/** The judges of one client; a text = the client is not on this machine. */
export type Judge = (place: Place) => Promise<readonly Row[] | string>

/** Where the clients find the server. */
export interface Place {
  /** URL of the HTTP port. */
  readonly url: string
  /** URL of an empty page of another origin, which the server allows. */
  readonly page: string
  /** Bytes of a `FileDescriptorSet`. */
  readonly descriptors: Uint8Array
  /** A directory for files of clients. */
  readonly directory: string
  /** The name of a repository, by that of a row. */
  readonly repository: (name: string) => string
}

/** Makes these calls one after the other. */
export async function tried(calls: Partial<Record<Kind, () => Promise<unknown>>>): Promise<Cells> {
  const cells: Cells = {}
  for (const [kind, call] of Object.entries(calls)) {
    cells[kind as Kind] = await call().then(
      () => 'works',
      (error) => String(error?.stderr || error).split('\n')[0] as string
    )
  }
  return cells
}

/** @throws Error unless the condition holds */
export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** `hello\n`, and its oid as `git hash-object` tells it. */
export const hello = { content: new TextEncoder().encode('hello\n'), oid: 'ce013625030ba8dba906f756967f9e9ca394464a' }
