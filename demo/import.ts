/** Imports revisions of a source tree over one transport. */
import { type Change, type Client, createClient, type Interceptor } from '../src/index.ts'
import { startTcpProxy } from '../tcp-proxy/tcp-proxy.ts'
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
}

/** Commits a whole tree; contents that the server has are not sent. */
async function commitRevision({ client, target, revision, index }: Step): Promise<string> {
  const repository = client.repository(target.repository)
  if (index === 0) await repository.createRepository()
  const changes = new Map<string, Change>(revision.removed.map((path) => [path, null]))
  for (const { path, mode, content } of revision.files) changes.set(path, { content, mode })
  const { oid } = await repository.commitFiles({
    branch: 'main',
    changes,
    message: `${revision.name}\n`,
    author: { ...author, timeSeconds: firstCommitSeconds + index }
  })
  return oid
}

/**
 * Commits the revisions one after the other, each with a new client, so that no cache helps. `onProgress` is called with
 * the number of contents that were stored.
 */
export async function importRevisions(
  target: ImportTarget,
  revisions: readonly Revision[],
  onProgress: (contents: number) => void
): Promise<ImportFigures[]> {
  const { transport } = target
  const proxy = await startTcpProxy(transport === 'grpc' ? target.grpc.href : target.http.href)
  const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${proxy.port}`
  const bytesOnWire = () => proxy.bytesToServer + proxy.bytesToClient
  const watch: Interceptor = {
    async request(request, next) {
      const response = await next(request)
      if (request.method !== 'batchOperations') return response
      const { operations = [] } = request.message
      if (operations[0]?.storeBlob) onProgress(operations.length)
      return response
    }
  }
  const figures: ImportFigures[] = []
  for (const [index, revision] of revisions.entries()) {
    const client = createClient({ endpoint, transport, timeoutMs: 60_000, interceptors: [watch] })
    const wireBefore = bytesOnWire()
    const start = performance.now()
    try {
      const oid = await commitRevision({ client, target, revision, index })
      figures.push({
        transport,
        commit: revision.name,
        oid,
        files: revision.files.length,
        bytes: revision.files.reduce((sum, { content }) => sum + content.length, 0),
        requests: client.stats().requests,
        bytesOnWire: bytesOnWire() - wireBefore,
        seconds: (performance.now() - start) / 1000
      })
    } finally {
      await client.close()
    }
  }
  await proxy[Symbol.asyncDispose]()
  return figures
}
