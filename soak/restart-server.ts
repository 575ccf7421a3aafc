/** A server for `restarts.ts`: ready to listen before it is told to, so that the time without a server is exact. */
import { appendFileSync } from 'node:fs'
import { startServer } from '../server-fixture/server.ts'
import type { SessionBatch, VcsService } from '../server-fixture/service/vcs-service.ts'
import { MemoryStore } from '../server-fixture/store/memory-store.ts'

/** Ports to listen on; 0 = any. */
export interface Listen {
  readonly httpPort: number
  readonly grpcPort: number
}

/** The server listens; `atMs` by `Date.now()`. */
export interface Listening {
  readonly http: string
  readonly grpc: string
  readonly atMs: number
}

const [, , file = ''] = process.argv
const decoder = new TextDecoder()

/** Writes a line for each blob that an attempt brings, whether or not its answer arrives. */
function recorded(service: VcsService): VcsService {
  const record = (contents: readonly (Uint8Array | undefined)[]) =>
    appendFileSync(
      file,
      contents.map((content) => (content ? `${Date.now()} ${decoder.decode(content)}\n` : '')).join('')
    )
  const ofBatch = ({ operations }: Pick<SessionBatch, 'operations'>) =>
    record(operations.map(({ storeBlob }) => storeBlob?.content))
  return {
    limits: service.limits,
    capabilities: () => service.capabilities(),
    call(method, request, context) {
      if (method === 'BatchOperations') ofBatch(request as SessionBatch)
      else record([(request as { content?: Uint8Array }).content])
      return service.call(method, request, context)
    },
    upload: (opening, context) => service.upload(opening, context),
    download: (request, context) => service.download(request, context),
    watch: (request, sink, context) => service.watch(request, sink, context),
    sessionBatch(batch, context) {
      ofBatch(batch)
      return service.sessionBatch(batch, context)
    }
  }
}

process.once('message', async (listen: Listen) => {
  const store = new MemoryStore()
  await store.createRepository('demo', 'sha1')
  const { http, grpc } = await startServer({ ...listen, store, decorate: recorded })
  process.send?.({ http, grpc, atMs: Date.now() } satisfies Listening)
})
process.once('disconnect', () => process.exit(0))
process.send?.('loaded')
