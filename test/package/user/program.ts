/** A program as a user would write it; `package.test.ts` compiles it against the packed package. */
import {
  type AddressStats,
  type Author,
  type BatchOperations,
  type BatchOptions,
  type BatchResults,
  type BatchStats,
  type BlobAddress,
  type BreakerOptions,
  type Bytes,
  type CallMessages,
  type CallOptions,
  type CallResults,
  type Capabilities,
  type Change,
  type Changes,
  type Client,
  type ClientOptions,
  type ClientStats,
  type Commit,
  type CommitFilesInput,
  type CommitFilesResponse,
  type CompareInput,
  type CompareResponse,
  type ConcurrencyOptions,
  type ConnectionOptions,
  type ConnectionStats,
  type CreateRepositoryInput,
  type CreateRepositoryResponse,
  createClient,
  type DeleteRepositoryResponse,
  type EndpointOptions,
  type EndpointStats,
  type FindMissingResponse,
  type GetBlobResponse,
  type GetCommitResponse,
  type GetTreeInput,
  type GetTreeResponse,
  type Guarded,
  type Guards,
  type HedgeOptions,
  type KeyedInput,
  type LatencySummary,
  type Limits,
  type ListCommitsInput,
  type ListCommitsResponse,
  type ListInput,
  type ListRefsResponse,
  type ListRepositoriesResponse,
  type Mode,
  type NewTreeEntry,
  type ObjectFormat,
  type Operation,
  type OperationInputs,
  type OperationName,
  type OperationResult,
  type OperationValues,
  type PageInput,
  type Path,
  type PathChange,
  type Pem,
  type PolicyOptions,
  type Ref,
  type RefUpdateInput,
  type Repository,
  type RepositoryInfo,
  type RetryOptions,
  type Signature,
  type StoreBlobResponse,
  type StoreCommitInput,
  type StoreCommitResponse,
  type StoreTreeInput,
  type StoreTreeResponse,
  type TlsOptions,
  type Token,
  type TransportEndpoint,
  type TransportName,
  type Tree,
  type TreeEntry,
  type UpdateRefsResponse,
  type UpdateRepositoryInput,
  type WriteOptions
} from 'blobwire'
import { configuration } from './configuration.ts'
import { explain } from './failures.ts'
import { interceptors, requests, same, seen } from './interceptors.ts'
import { objects } from './objects.ts'
import { operating } from './operating.ts'
import { signing } from './signing.ts'

const endpoint: readonly EndpointOptions[] = [{ url: 'http://127.0.0.1:4100', weight: 2 }]
const retry: RetryOptions = { maxAttempts: 2 }
const breaker: BreakerOptions = { failures: 3 }
const concurrency: ConcurrencyOptions = { maxCalls: 10 }
const hedge: HedgeOptions = { delayMs: 50 }
const policies: PolicyOptions = { retry, breaker, concurrency, hedge }
const pem: Pem = new Uint8Array(0)
const tls: TlsOptions = { ca: [pem, ''], minVersion: 'TLSv1.3' }
const token: Token = async () => 'secret'
const connection: ConnectionOptions = { connectTimeoutMs: 1000 }
const batching: BatchOptions = { maxOperations: 100 }
const transport: TransportName = 'msgpack'
const options: ClientOptions = {
  endpoint,
  transport,
  token,
  tls,
  connection,
  batch: batching,
  ...policies
}

async function trees(repo: Repository): Promise<string> {
  const input: GetTreeInput = { revision: 'main', path: Uint8Array.of(0x73, 0xff) satisfies Path }
  const tree: Tree = await repo.getTree(input)
  const first: TreeEntry | undefined = tree.entries[0]
  const mode: Mode | undefined = first?.mode
  if (mode === '100755') seen.push('executable')
  if (mode) seen.push(kindOf(mode))
  const copy: StoreTreeResponse = await repo.storeTree(tree.entries)
  const all = await repo.getTree({ recursive: true })
  await repo.storeTree(all.entries.filter((entry) => entry.mode !== '040000'))
  const added: NewTreeEntry = { path: 'a', mode: '100644', oid: '' }
  const stored: StoreTreeInput = { entries: [added, ...tree.entries], baseTree: tree.oid }
  return (await repo.storeTree(stored.entries, { baseTree: copy.oid })).oid
}

/** Git has no other modes: a switch over them is whole. */
function kindOf(mode: Mode): string {
  switch (mode) {
    case '100644':
    case '100755':
      return 'file'
    case '120000':
      return 'link'
    case '040000':
      return 'directory'
    case '160000':
      return 'submodule'
  }
}

async function commits(repo: Repository): Promise<void> {
  const read: GetCommitResponse = await repo.getCommit()
  const commit: Commit = read.commit
  const author: Signature = commit.author
  const again: Author = author
  const input: StoreCommitInput = { tree: commit.tree, parents: commit.parents, author: again, message: 'm\n' }
  const stored: StoreCommitResponse = await repo.storeCommit(input)
  const log: ListCommitsInput = { revision: stored.oid, path: 'a' }
  const page: ListCommitsResponse = await repo.listCommits(log)
  for await (const { committer } of repo.commits(log)) seen.push(committer.name, page.nextPageToken)
  const guarded: Guarded = { expectedOid: null }
  const changes: Changes = new Map<string, Change>([
    ['a', 'text'],
    ['b', { content: 'text', ...guarded }]
  ])
  const guards: Guards = { c: null }
  const files: CommitFilesInput = { branch: 'main', changes, guards, message: 'm\n', author, expectedHead: null }
  const made: CommitFilesResponse = await repo.commitFiles(files)
  const sides: CompareInput = { base: made.oid, head: 'main' }
  const compared: CompareResponse = await repo.compare(sides)
  for (const change of compared.changes) seen.push(describe(change))
}

function describe({ path, status, oldMode, newMode }: PathChange): string {
  switch (status) {
    case 'added':
      return `A ${path} ${newMode}`
    case 'deleted':
      return `D ${path} ${oldMode}`
    case 'modified':
    case 'type_changed':
      return `M ${path}`
  }
}

async function refs(repo: Repository): Promise<RefUpdateInput[]> {
  const page: PageInput = { pageSize: 10 }
  const list: ListInput = { ...page, prefix: 'refs/heads/' }
  const answer: ListRefsResponse = await repo.listRefs(list)
  const ref: Ref | undefined = answer.refs[0]
  const update: RefUpdateInput = { name: 'refs/heads/x', expectedOid: ref?.oid ?? null, newOid: null }
  const moved: UpdateRefsResponse = await repo.updateRefs([update])
  seen.push(...moved.refs.map(({ name }) => name))
  return [update]
}

async function keys(repo: Repository): Promise<boolean> {
  const write: WriteOptions = { requestKey: 'job-1' }
  const keyed: KeyedInput = write
  await repo.batch([{ updateRefs: { updates: [], ...keyed } }])
  const made: CreateRepositoryResponse = await repo.createRepository(write)
  const gone: DeleteRepositoryResponse = await repo.deleteRepository()
  return made.created && gone.deleted
}

async function batches(client: Client, repo: Repository): Promise<void> {
  const results = await repo.batch([
    { storeBlob: { content: 'hello\n' } },
    { getBlob: { revision: 'main', path: 'a' } },
    { getTree: { recursive: true } },
    { storeTree: { entries: (await repo.getTree()).entries } }
  ])
  same<
    typeof results,
    [
      OperationResult<StoreBlobResponse>,
      OperationResult<GetBlobResponse>,
      OperationResult<GetTreeResponse>,
      OperationResult<StoreTreeResponse>
    ]
  >(true)
  const [stored, read] = results
  if (stored.ok) seen.push(stored.value.oid)
  else seen.push(stored.error.code)
  if (!read.ok) throw read.error
  const content: Uint8Array = read.value.content

  const contents: Bytes[] = [content, 'text']
  const many = await client.batch(
    'demo',
    contents.map((item) => ({ storeBlob: { content: item } })),
    { atomic: true }
  )
  same<typeof many, OperationResult<StoreBlobResponse>[]>(true)
  for (const { ok, value, error } of many) seen.push(ok ? value.oid : error.message)

  const operations: Operation[] = [{ findMissing: { oids: [] } }]
  const mixed = await repo.batch(operations)
  same<typeof mixed, OperationResult[]>(true)
  same<typeof mixed, BatchResults<Operation[]>>(true)
  const [ref, ...rest] = await repo.batch([{ listRefs: {} }, ...operations])
  same<typeof ref, OperationResult<ListRefsResponse>>(true)
  same<typeof rest, OperationResult[]>(true)
  const asGiven: BatchOperations<[{ getCommit: { revision: 'main' } }]> = [{ getCommit: { revision: 'main' } }]
  seen.push(String(asGiven.length))
  const name: OperationName = 'compare'
  const input: OperationInputs[typeof name] = { base: 'a', head: 'b' }
  const missing: OperationValues['findMissing'] = { missing: [input.base] }
  const found: FindMissingResponse = missing
  const message: CallMessages['getBlob'] = { oid: found.missing[0] ?? '' }
  const address: BlobAddress = message
  const value: CallResults['getBlob'] = await repo.getBlob(address)
  seen.push(value.oid)
}

async function service(client: Client): Promise<ObjectFormat> {
  const capabilities: Capabilities = await client.getCapabilities()
  const limits: Limits = capabilities.limits
  const endpoint: TransportEndpoint | undefined = capabilities.transports[0]
  const page: ListRepositoriesResponse = await client.listRepositories({ prefix: endpoint?.url })
  const info: RepositoryInfo | undefined = page.repositories[0]
  const format: ObjectFormat = info?.objectFormat ?? 'sha256'
  const creation: CreateRepositoryInput = { objectFormat: capabilities.objectFormats[0] ?? format }
  const call: CallOptions = { timeoutMs: limits.chunkBytes, headers: { 'x-a': 'b' } }
  await client.createRepository('demo', { ...creation, ...call })
  const change: UpdateRepositoryInput = { defaultBranch: 'trunk' }
  await client.updateRepository('demo', change)
  const stats: ClientStats = client.stats()
  const endpoints: EndpointStats[] = stats.endpoints
  const addresses: AddressStats[] | undefined = endpoints[0]?.addresses
  const [connections, latency, batch]: [ConnectionStats, LatencySummary, BatchStats] = [
    stats.connections,
    stats.latency,
    stats
  ]
  seen.push(`${endpoints.length} ${addresses?.length} ${connections.open} ${latency.count} ${batch.batching}`)
  return format
}

/** Everything in turn. */
export async function main(): Promise<string[]> {
  await using client = createClient({ ...options, interceptors })
  const repo = client.repository('demo')
  try {
    await trees(repo)
    await commits(repo)
    await objects(repo)
    await signing(repo)
    await configuration('http://a')
    await refs(repo)
    await batches(client, repo)
    await keys(repo)
    await service(client)
    operating(client)
  } catch (error) {
    seen.push(explain(error) ?? '')
  }
  return [...seen, ...requests]
}
