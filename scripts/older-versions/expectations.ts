/** Old and new together: what the client of today says to a server without request keys, and an older client to today's server. */
import { BlobwireError, type Client, createClient } from '../../src/index.ts'

/** Where a server listens. */
export interface Urls {
  readonly http: string
  readonly grpc: string
}

const transports = ['json', 'msgpack', 'grpc'] as const
const author = { name: 'Ada', email: 'ada@example.org' }
const oid = 'ce013625030ba8dba906f756967f9e9ca394464a'

/** More than a message carries. */
const large = new Uint8Array(2 ** 21)

const endpointOf = ({ http, grpc }: Urls, transport: string) =>
  transport === 'grpc' ? grpc.replace(/^http/, 'grpc') : http

/** The writes that need a key, which an older server cannot take. */
const writes: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  createRepository: (client) => client.createRepository('new'),
  deleteRepository: (client) => client.deleteRepository('other'),
  updateRefs: (client) => client.updateRefs('demo', [{ name: 'refs/heads/x', expectedOid: null, newOid: oid }]),
  commitFiles: (client) => client.commitFiles('demo', { branch: 'main', changes: { a: 'b' }, message: 'm', author }),
  'commitFiles with guards': (client) =>
    client.commitFiles('demo', { branch: 'main', changes: {}, guards: { a: null }, message: 'm', author }),
  'an atomic batch': (client) =>
    client
      .batch('demo', [{ updateRefs: { updates: [{ name: 'refs/heads/x', expectedOid: null, newOid: oid }] } }], {
        atomic: true
      })
      .then(([result]) => (result.ok ? result.value : Promise.reject(result.error))),
  'an operation of a batch': (client) =>
    client
      .batch('demo', [{ updateRefs: { updates: [{ name: 'refs/heads/x', expectedOid: null, newOid: oid }] } }])
      .then(([result]) => (result.ok ? result.value : Promise.reject(result.error)))
}

/** Calls that an older server does not know. */
const laterCalls: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  storeObject: (client) => client.storeObject('demo', { kind: 'blob', content: 'hello\n' }),
  getObject: (client) => client.getObject('demo', oid),
  storeTag: (client) => client.storeTag('demo', { object: oid, name: 'v1', tagger: author, message: 'm' }),
  getTag: (client) => client.getTag('demo', oid),
  upload: (client) => client.upload('demo', large),
  'getTag in a batch': (client) =>
    client
      .batch('demo', [{ getTag: { revision: oid } }])
      .then(([result]) => (result.ok ? result.value : Promise.reject(result.error)))
}

/** All of a server's repositories and refs. */
async function stateOf(client: Client): Promise<string> {
  const { repositories } = await client.listRepositories()
  const names = repositories.map(({ repository }) => repository)
  const refs = await Promise.all(names.map((name) => client.listRefs(name)))
  return JSON.stringify([names, refs.map((listed) => listed.refs)])
}

/**
 * Tries a client of today with a server that has the repositories `demo` and `other`, and no request keys. Returns the
 * problems: what can be done without keys works, also for several repositories at once and with headers; what needs a key
 * is refused with a reason of its own, in one attempt, and has no effect.
 */
export async function withOlderServer(urls: Urls): Promise<string[]> {
  const problems: string[] = []
  for (const transport of transports) {
    for (const batch of [{}, false] as const) {
      const client = createClient({ endpoint: endpointOf(urls, transport), transport, batch, timeoutMs: 20_000 })
      const where = `${transport}, ${batch ? 'session' : 'requests'}`
      try {
        const before = await stateOf(client)
        const calls = ['demo', 'other', 'demo', 'other'].map((name, index) =>
          client.storeBlob(name, 'hello\n', index < 2 ? {} : { headers: { traceparent: `00-${index}` } })
        )
        for (const stored of await Promise.all(calls)) if (stored.oid !== oid) problems.push(`${where}: ${stored.oid}`)
        for (const [reason, calls] of [
          ['no_request_keys', writes],
          ['no_such_method', laterCalls]
        ] as const) {
          for (const [name, call] of Object.entries(calls)) {
            const refusal = await call(client).then(
              () => 'no error',
              (error: unknown) => error
            )
            if (!isTooOld(refusal, reason)) problems.push(`${where}: ${name}: ${String(refusal)}`)
          }
        }
        const refusal = await client.storeBlob('demo', large).catch((error: unknown) => error)
        if (!isTooLarge(refusal)) problems.push(`${where}: a large blob: ${String(refusal)}`)
        const after = await stateOf(client)
        if (after !== before) problems.push(`${where}: ${before} has become ${after}`)
      } catch (error) {
        problems.push(`${where}: ${String(error)}`)
      } finally {
        await client.close()
      }
    }
  }
  return problems
}

function isTooOld(error: unknown, expected: string): boolean {
  if (!(error instanceof BlobwireError)) return false
  const { code, reason, retryable, attempts, sent } = error
  return code === 'unimplemented' && reason === expected && !retryable && attempts === 1 && sent === 'processed'
}

/** As before there were uploads, with a sentence about them where the client knew the limit. */
function isTooLarge(error: unknown): boolean {
  return error instanceof BlobwireError && error.details.limit?.limit === 'max_inline_bytes'
}

/** The part of an older client that is tried; it has `expectedHead` in place of keys. */
interface OlderClient {
  createRepository(name: string): Promise<unknown>
  storeBlob(repository: string, content: string): Promise<{ oid: string }>
  getBlob(repository: string, oid: string): Promise<{ content: Uint8Array }>
  commitFiles(repository: string, input: object): Promise<{ oid: string }>
  updateRefs(repository: string, updates: object[]): Promise<unknown>
  listRefs(repository: string): Promise<{ refs: readonly { name: string; oid: string }[] }>
  deleteRepository(name: string): Promise<unknown>
  close(): Promise<void>
}

/** The module of an older client. */
export interface OlderModule {
  createClient(options: object): OlderClient
}

/** Tries an older client with a server of today. Returns the problems: all that it could do it still can. */
export async function withOlderClient({ createClient: create }: OlderModule, urls: Urls): Promise<string[]> {
  const problems: string[] = []
  for (const transport of transports) {
    const client = create({ endpoint: endpointOf(urls, transport), transport, timeoutMs: 20_000 })
    const name = `of-${transport}`
    try {
      await client.createRepository(name)
      const stored = await client.storeBlob(name, 'hello\n')
      const { content } = await client.getBlob(name, stored.oid)
      if (Buffer.from(content).toString() !== 'hello\n') problems.push(`${transport}: other content`)
      const commit = { branch: 'main', changes: { a: 'b' }, message: 'm', author: { ...author, timeSeconds: 1 } }
      const made = await client.commitFiles(name, { ...commit, expectedHead: null })
      await client.updateRefs(name, [{ name: 'refs/tags/t', expectedOid: null, newOid: made.oid }])
      const { refs } = await client.listRefs(name)
      const told = refs.map((ref) => `${ref.name} ${ref.oid}`).join()
      if (told !== `refs/heads/main ${made.oid},refs/tags/t ${made.oid}`) problems.push(`${transport}: ${told}`)
      await client.deleteRepository(name)
    } catch (error) {
      problems.push(`${transport}: ${String(error)}`)
    } finally {
      await client.close()
    }
  }
  return problems
}
