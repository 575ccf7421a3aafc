/** Imports revisions of a source tree over one transport. */
import { type Change, type Client, createClient, type ProgressListener } from '../src/index.ts'
import { startTcpProxy, type TcpProxy } from '../tcp-proxy/tcp-proxy.ts'
import type { SourceFile } from './source-tree.ts'

/** The measurements of one import. */
export interface ImportFigures {
  transport: string
  commit: string
  oid: string
  files: number
  bytes: number
  requests: number
  bytesOnWire: number
  seconds: number
}

/** The server, repository and transport of an import. */
export interface ImportTarget {
  transport: 'json' | 'msgpack' | 'grpc'
  repository: string
  http: URL
  grpc: URL
}

/** One state of the source tree, to be committed. */
export interface Revision {
  name: string
  files: readonly SourceFile[]
  /** Paths of the previous commit that are gone. */
  removed: readonly string[]
}

/** Constant, so that every run of this program makes the same commits. */
const author = { name: 'Blobwire Demo', email: 'demo@example.org', zone: '+0000' }
const firstCommitSeconds = Date.UTC(2026, 0, 1) / 1000

/** The commit of one revision. */
interface Step {
  readonly client: Client
  readonly target: ImportTarget
  readonly revision: Revision
  readonly index: number
  readonly onProgress: ProgressListener
}

/** Commits a whole tree, large files and small ones in one call; contents that the server has are not sent. */
async function commitRevision({ client, target, revision, index, onProgress }: Step): Promise<string> {
  const repository = client.repository(target.repository)
  if (index === 0) await repository.createRepository()
  const changes = new Map<string, Change>(revision.removed.map((path) => [path, null]))
  for (const { path, mode, content } of revision.files) changes.set(path, { content, mode })
  const commit = {
    branch: 'main',
    changes,
    message: `${revision.name}\n`,
    author: { ...author, timeSeconds: firstCommitSeconds + index }
  }
  const { oid } = await repository.commitFiles(commit, { onProgress })
  return oid
}

/** Commits the revisions one after the other, each with a new client, so that no cache helps. */
export async function importRevisions(
  target: ImportTarget,
  revisions: readonly Revision[],
  onProgress: ProgressListener
): Promise<ImportFigures[]> {
  const proxy = await startTcpProxy(target.transport === 'grpc' ? target.grpc.href : target.http.href)
  try {
    return await importThrough(proxy, target, { revisions, onProgress })
  } finally {
    await proxy[Symbol.asyncDispose]()
  }
}

interface Steps {
  readonly revisions: readonly Revision[]
  readonly onProgress: ProgressListener
}

async function importThrough(
  proxy: TcpProxy,
  target: ImportTarget,
  { revisions, onProgress }: Steps
): Promise<ImportFigures[]> {
  const { transport } = target
  const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${proxy.port}`
  const bytesOnWire = () => proxy.bytesToServer + proxy.bytesToClient
  const figures: ImportFigures[] = []
  for (const [index, revision] of revisions.entries()) {
    const client = createClient({ endpoint, transport, timeoutMs: 60_000 })
    const wireBefore = bytesOnWire()
    const start = performance.now()
    try {
      const oid = await commitRevision({ client, target, revision, index, onProgress })
      figures.push({
        transport,
        commit: revision.name,
        oid,
        files: revision.files.length,
        bytes: revision.files.reduce((sum, { size }) => sum + size, 0),
        requests: client.stats().requests,
        bytesOnWire: bytesOnWire() - wireBefore,
        seconds: (performance.now() - start) / 1000
      })
    } finally {
      await client.close()
    }
  }
  return figures
}
