// The server, for programs that run it themselves.
import '../src/check-node.cts'

export type { Grant } from './auth.ts'
export type { Effect } from './faults/effects.ts'
export type { ServerFigures } from './metrics/snapshot.ts'
export { MissingPackageError } from './optional-package.ts'
export { type PushDestination, type PushOptions, readPushOptions } from './push/push-options.ts'
export { startServer } from './server.ts'
export type { RunningServer, ServerOptions } from './server-options.ts'
export type { WatchBounds } from './service/watch/watch-bounds.ts'
export type { Store } from './store/store.ts'
export type { GitHousekeeping, StoreOptions } from './store-options.ts'
export type { TlsFiles } from './tls-files.ts'
