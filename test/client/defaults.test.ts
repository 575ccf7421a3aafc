/** What the documentation of each option says of its default (`@default`) is what a client does without the option. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { getCACertificates, type SecureVersion, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { policyOf } from '../../src/call/call-policy.ts'
import { resolveOptions } from '../../src/client/options.ts'
import { newRequestKey } from '../../src/client/request-key.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { emptyTreeOid } from '../../src/git/oid.ts'
import { type BlobwireError, createClient, type Interceptor, type Repository, type Signature } from '../../src/index.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { configuredDefaults } from '../support/configured-defaults.ts'
import { contentOptions } from '../support/content-options.ts'
import { named, offlineOptions } from '../support/found-defaults.ts'
import { documentedOptions, tagCount } from '../support/option-docs.ts'
import { resolvedOptions } from '../support/resolved-options.ts'
import { atEnd, testServer } from '../support/server.ts'

/** Everything that a user gives. */
const roots = [
  'ClientOptions',
  'CallOptions',
  'DownloadOptions',
  'WriteOptions',
  'CreateRepositoryInput',
  'ListInput',
  'OperationInputs',
  'Signable',
  'OidOptions',
  'DatedCommit',
  'TreeFile',
  'UploadOptions',
  'FilesInput',
  'ArchiveInput',
  'CheckoutInput',
  'RegistryConfig',
  'RegistryOptions',
  'LoadConfigOptions'
]
const endpoint = 'http://127.0.0.1:4100'
const pem = (name: string) => readFileSync(new URL(`../support/tls/${name}`, import.meta.url), 'utf8')
const author = { name: 'Ada', email: 'ada@example.org' }
const nowSeconds = 1_700_000_000
const timeoutMs = 500_000_000

/** Values by the names of their options: those without the option, and what `@default` calls by other words. */
interface Held {
  readonly found: Readonly<Record<string, unknown>>
  readonly words: Readonly<Record<string, unknown>>
}

/** How a client without `tls` meets servers that speak one version of TLS each. */
async function tlsOptions(context: TestContext): Promise<Held> {
  const certificates = getCACertificates('default')
  setDefaultCACertificates([pem('ca.pem')])
  context.after(() => setDefaultCACertificates(certificates))
  const sockets: TLSSocket[] = []
  const connects = async (version: SecureVersion) => {
    const identity = { cert: pem('server.pem'), key: pem('server.key') }
    const asks = { requestCert: true, rejectUnauthorized: false, minVersion: version, maxVersion: version }
    const server = createSecureServer({ ...identity, ...asks })
    server.on('secureConnection', (socket: TLSSocket) => sockets.push(socket))
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/json' })
      stream.end('{}')
    })
    server.listen(0, 'localhost')
    await once(server, 'listening')
    context.after(() => server.close())
    const url = `https://localhost:${(server.address() as AddressInfo).port}`
    const client = createClient({ endpoint: url, transport: 'json', retry: false })
    context.after(() => client.close())
    return client.getCapabilities().then(
      () => true,
      () => false
    )
  }
  const versions = { 'TLSv1.2': await connects('TLSv1.2'), 'TLSv1.3': await connects('TLSv1.3') }
  const [socket = assert.fail('no handshake')] = sockets
  const [shown] = Object.keys(socket.getPeerCertificate() ?? {})
  const found = {
    ca: Object.values(versions).includes(true),
    cert: shown,
    key: shown,
    serverName: socket.servername,
    rejectUnauthorized: resolveOptions({ endpoint }).tls.rejectUnauthorized,
    minVersion: Object.entries(versions).find(([, worked]) => worked)?.[0]
  }
  const words = { "Node's own list": true, "the endpoint's host": 'localhost' }
  return { found: named('TlsOptions', found), words }
}

/** A call as its request says it, in the bytes that are sent. */
interface Recorded {
  readonly method: string
  readonly message: Readonly<Record<string, unknown>>
  readonly timeoutMs: number
  readonly headers: object
}

interface Recording {
  readonly repository: Repository
  /** The same of another client. */
  readonly other: Repository
  readonly last: (method: string) => Recorded
}

/** A repository whose calls are recorded on their way to a server. */
async function startRecording(context: TestContext): Promise<Recording> {
  const server = atEnd(context, await testServer())
  const calls: Recorded[] = []
  const record: Interceptor = {
    async request(request, next) {
      const { method, headers } = request
      const type = methods[method].request
      const message = { ...jsonCodec.decode(type, jsonCodec.encode(type, request.message as object)) }
      const timeoutMs = Math.ceil(request.remainingMs() / 1_000_000) * 1_000_000
      calls.push({ method: methods[method].name, message, timeoutMs, headers })
      return next(request)
    }
  }
  const client = server.client({ transport: 'json', timeoutMs, interceptors: [record] })
  const last = (method: string) => calls.findLast((call) => call.method === method) ?? assert.fail(method)
  return { repository: client.repository('demo'), other: server.client().repository('demo'), last }
}

/** Arguments of calls, as the server gets them or as its answers show them. */
async function callInputs(context: TestContext): Promise<Held> {
  context.mock.timers.enable({ apis: ['Date'], now: nowSeconds * 1000 })
  const { repository, other, last } = await startRecording(context)
  const sent = (method: string, ...names: string[]) =>
    Object.fromEntries(names.map((name) => [name, last(method).message[name]]))
  const { defaultBranch } = await repository.createRepository()
  const { oid: tree } = await repository.storeTree([])
  await repository.storeCommit({ tree, author, message: 'm\n' })
  const stored = last('StoreCommit').message
  const { timeSeconds, zone } = stored['author'] as { timeSeconds: number; zone: string }

  const commit = { branch: 'main', message: 'm\n', author }
  await repository.commitFiles({ ...commit, changes: { old: { content: 'a', mode: '100755' } } })
  const { oid: head } = await other.commitFiles({ ...commit, changes: { b: 'b' } })
  const { oid } = await repository.storeBlob('c')
  const file = fileURLToPath(import.meta.url)
  const changes = { content: { content: 'x' }, file: { file }, oid: { oid }, moved: { moveFrom: 'old' } }
  const { oid: after } = await repository.commitFiles({ ...commit, changes })
  const { parents, committer, raw } = (await repository.getCommit(after)).commit
  const sentChanges = last('CommitFiles').message['changes'] as Partial<Messages['FileChange']>[]
  const { entries } = await repository.getTree()
  const modes = Object.fromEntries(entries.map(({ path, mode }) => [path, mode]))
  await repository.storeTree(entries.map(({ path, mode, oid: of }) => ({ path, mode, oid: of })))
  const [sentEntry] = last('StoreTree').message['entries'] as Partial<Messages['TreeEntry']>[]

  await Promise.all([repository.getCommit(), repository.listCommits(), repository.listRefs({}, {})])
  const transport = await repository.getBlob(emptyTreeOid('sha1')).catch((error: BlobwireError) => error.transport)
  const tagged = { object: oid, name: 'v1', message: 'm\n', tagger: author }
  const { oid: tag } = await repository.storeTag(tagged)
  await repository.getObject({ revision: 'HEAD' })
  const callOptions = ({ timeoutMs, headers }: Recorded) => ({ timeoutMs, transport, headers })
  assert.deepEqual(callOptions(last('ListCommits')), callOptions(last('ListRefs')), 'none, or an object with none')
  const found = {
    ...named('CallOptions', {
      signal: undefined,
      token: undefined,
      priority: resolveOptions({ endpoint }).priority,
      retry: policyOf({})?.maxAttempts,
      attemptTimeoutMs: resolveOptions({ endpoint, attemptTimeoutMs: 77 }).attemptTimeoutMs,
      hedge: policyOf({})?.hedge,
      ...callOptions(last('ListRefs'))
    }),
    ...named('CreateRepositoryInput', {
      ...sent('CreateRepository', 'objectFormat'),
      defaultBranch: defaultBranch.replace('refs/heads/', '')
    }),
    ...named('StoreTreeInput', { baseTree: tree }),
    ...named('NewTreeEntry', { rawPath: sentEntry?.rawPath?.length || undefined }),
    ...named('StoreCommitInput', { parents: stored['parents'], committer: stored['committer'] }),
    ...named('Author', { timeSeconds, zone }),
    ...named('CommitFilesInput', {
      committer,
      expectedHead: parents,
      guards: sentChanges.find(({ guard }) => guard)?.guard
    }),
    ...named('Guarded', { expectedOid: sentChanges.find(({ guarded }) => guarded)?.guarded }),
    ...named('WriteOptions', { requestKey: newRequestKey().length }),
    ...named('KeyedInput', { requestKey: newRequestKey().length }),
    ...named('Change', {
      mode: modes['content'],
      'mode 2': modes['file'],
      'mode 3': modes['oid'],
      'mode 4': modes['moved']
    }),
    ...named('GetTreeInput', sent('GetTree', 'revision', 'path', 'recursive')),
    ...named('OperationInputs', sent('GetCommit', 'revision')),
    ...named('ListCommitsInput', sent('ListCommits', 'revision', 'path')),
    ...named('ListInput', sent('ListRefs', 'prefix')),
    ...named('StoreObjectInput', { check: await usualCheck(repository) }),
    ...named('ObjectAddress', sent('GetObject', 'path')),
    ...named('StoreTagInput', { kind: (await repository.getTag(tag)).tag.kind }),
    ...named('Signable', { sign: raw[0] }),
    ...offlineOptions(tree, stored['author'] as Signature),
    ...named('PageInput', { ...sent('ListRefs', 'pageToken'), pageSize: await usualPages(repository, head) })
  }
  const words = {
    'the empty tree': emptyTreeOid('sha1'),
    "now: by the server's clock in `commitFiles`, by the client's clock in `storeCommit`": committer.timeSeconds,
    'the author': stored['author'],
    'the kind that it has': 'blob',
    'a random key': 22,
    'whatever the branch points to when the server carries out the call, in order of arrival': [head],
    "the moved file's mode": '100755',
    "the server's default (100; 1000 for paths)": { refs: 100, paths: 1000 },
    "the client's `timeoutMs`": timeoutMs,
    "the client's": 'json',
    "the client's `attemptTimeoutMs`": 77,
    "the client's `connection`": 7,
    "the client's `priority`": 'interactive',
    "the client's `retry`": undefined,
    "the client's `hedge`": undefined
  }
  return { found, words }
}

/** Whether an object is refused about which Git only warns. */
async function usualCheck(repository: Repository): Promise<'strict' | 'lenient'> {
  const { oid } = await repository.storeTree([])
  const content = Uint8Array.of(...Buffer.from('040000 a\0'), ...Buffer.from(oid, 'hex'))
  const isTaken = (check?: 'lenient') =>
    repository.storeObject({ kind: 'tree', content, check }).then(
      () => true,
      () => false
    )
  assert.ok(await isTaken('lenient'))
  return (await isTaken()) ? 'lenient' : 'strict'
}

/** How many refs and how many paths a page has that nobody asked a size for. */
async function usualPages(repository: Repository, newOid: string): Promise<{ refs: number; paths: number }> {
  const { oid } = await repository.storeBlob('')
  const numbers = Array.from({ length: 1001 }, (_, index) => index)
  const entries = numbers.map((number) => ({ path: `${number}`, mode: '100644' as const, oid }))
  const { oid: tree } = await repository.storeTree(entries)
  const names = numbers.slice(0, 101).map((number) => `refs/tags/${number}`)
  await repository.updateRefs(names.map((name) => ({ name, expectedOid: null, newOid })))
  const { refs } = await repository.listRefs()
  const { changes } = await repository.compare({ base: emptyTreeOid('sha1'), head: tree })
  return { refs: refs.length, paths: changes.length }
}

/** A literal, perhaps with an explanation in brackets behind it; `none`; or one of the words. */
function meaningOf(tag: string, words: Held['words']): unknown {
  if (tag === 'none') return undefined
  if (Object.hasOwn(words, tag)) return words[tag]
  const [, literal = assert.fail(`neither a literal nor known words: ${tag}`)] =
    /^('[^']*'|[\d.]+|true|false|\[.*\]|\{.*\})(?: \(.*\))?$/.exec(tag) ?? []
  return JSON.parse(literal.replaceAll("'", '"'))
}

/** An object of options leaves out what has its own default. */
function resolvedAlone(name: string, value: unknown): unknown {
  const [owner, option = ''] = name.split('.')
  const isGroup = (owner === 'ClientOptions' || owner === 'PolicyOptions') && typeof value === 'object'
  return isGroup ? named(owner, resolveOptions({ endpoint, [option]: value }))[name] : value
}

test('every option says what its default is, and that is what it is', async (context) => {
  const tls = await tlsOptions(context)
  const inputs = await callInputs(context)
  const contents = await contentOptions(context, endpoint)
  const held = [{ found: resolvedOptions(endpoint), words: {} }, tls, inputs, contents, await configuredDefaults()]
  const found: Held['found'] = Object.assign({}, ...held.map((each) => each.found))
  const words: Held['words'] = Object.assign({}, ...held.map((each) => each.words))
  const options = documentedOptions(roots)
  for (const { name, tag } of options) {
    await context.test(name, () => {
      assert.ok(tag !== undefined, 'has no @default; "none" is one')
      assert.ok(Object.hasOwn(found, name), 'is held against nothing')
      assert.deepEqual(found[name], resolvedAlone(name, meaningOf(tag, words)), `@default ${tag}`)
    })
  }
  assert.equal(options.length, tagCount, 'a @default tag stands where no option was looked for')
})
