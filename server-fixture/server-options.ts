/// <reference lib="esnext.disposable" preserve="true" />
/** The options of `startServer`, and the server that it starts. The package publishes these types. */
import type { Limits } from '../src/schema/default-limits.ts'
import type { Primary } from './accepted-connections.ts'
import type { Grant } from './auth.ts'
import type { CorsOptions } from './cors-options.ts'
import type { Effect } from './faults/effects.ts'
import type { Faults } from './faults/faults.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { ServerFigures } from './metrics/snapshot.ts'
import type { PushOptions } from './push/push-options.ts'
import type { VcsService } from './service/vcs-service.ts'
import type { WatchBounds } from './service/watch/watch-bounds.ts'
import type { StoreOptions } from './store-options.ts'
import type { TlsFiles } from './tls-files.ts'
import type { RequestTracing } from './tracing/request-tracing.ts'

/** Options of `startServer`; all have defaults. */
export interface ServerOptions extends StoreOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined
  /**
   * 0 = any free port.
   * @default 0
   */
  readonly httpPort?: number | undefined
  /** @default 0 */
  readonly grpcPort?: number | undefined
  /**
   * Port for metrics, the dashboard and health, where nobody needs a token: HTTP/1.1 and h2c. 0 = any free port.
   * @default none
   */
  readonly adminPort?: number | undefined
  /** @default '127.0.0.1' */
  readonly adminHost?: string | undefined
  /**
   * Of the disk with the data directory. With less, the server is not ready.
   * @default 268_435_456
   */
  readonly minFreeBytes?: number | undefined
  /**
   * Directory of exports, from which Git's clients read repositories of stores that are not the Git store. Servers of one
   * machine may share it.
   * @default `git-cache` in `data`, or a temporary directory that is removed when the server closes
   */
  readonly gitCache?: string | undefined
  /**
   * Git processes at once that make packs for clones and fetches, or take in those of pushes. Others wait.
   * @default two for each core
   */
  readonly maxGitProcesses?: number | undefined
  /**
   * Bytes of the pack of one push.
   * @default 5_368_709_120
   */
  readonly maxPushBytes?: number | undefined
  /**
   * Time for one clone, fetch or push.
   * @default 3_600_000
   */
  readonly gitTimeoutMs?: number | undefined
  /** Without grants, everyone may do everything. */
  readonly grants?: readonly Grant[] | undefined
  readonly tls?: TlsFiles | undefined
  /**
   * Pages that may use the HTTP server from a browser (docs/connect.md).
   * @default none
   */
  readonly cors?: CorsOptions | undefined
  /**
   * Names of hosts, without ports, by which the server may be asked, besides loopback names (`localhost`, `*.localhost`,
   * `127.0.0.1`, `[::1]`) and `host`; `*` = any. A server without grants and TLS answers to no others, so that no web site
   * reaches it through a browser on its machine (docs/operating.md, "Names of hosts").
   * @default none; any name where there are grants or TLS
   */
  readonly hosts?: readonly string[] | undefined
  readonly limits?: Partial<Limits> | undefined
  /** Bounds of watches: 10,000 on the server, a sign of life each 15 s. */
  readonly watches?: Partial<WatchBounds> | undefined
  /**
   * Time for a handshake, and for the headers of a request to arrive.
   * @default 10_000
   */
  readonly headersTimeoutMs?: number | undefined
  /**
   * Time for the body of a request, or a message of a session, to arrive after its beginning.
   * @default 30_000
   */
  readonly bodyTimeoutMs?: number | undefined
  /**
   * Time that a stream, or a connection without streams, may do nothing. Sessions then end as when the server drains.
   * @default 120_000
   */
  readonly idleTimeoutMs?: number | undefined
  /**
   * Time for a unary call whose client tells no deadline.
   * @default 120_000
   */
  readonly callTimeoutMs?: number | undefined
  /**
   * Time that uploads and downloads may go on when the server closes. They end then so that they can go on elsewhere.
   * @default 5_000
   */
  readonly transferDrainMs?: number | undefined
  /** @internal Wraps the service, for a test that looks at its calls. */
  readonly decorate?: ((service: VcsService) => VcsService) | undefined
  /** Faults on command; see docs/testing.md. */
  readonly faults?: Faults | undefined
  /** Called for each write that changed something. Writes then wait for each other. */
  readonly onEffect?: ((effect: Effect) => void) | undefined
  /**
   * A line of JSON for each request and each frame of a session: a path, `-` for standard output, or `stderr`.
   * @default none
   */
  readonly accessLog?: string | undefined
  /**
   * `operations` = a line for each operation of a frame.
   * @default 'frames'
   */
  readonly accessLogDetail?: 'frames' | 'operations' | undefined
  /**
   * Makes spans of requests and operations. true = with the tracer provider that the process has registered with
   * `@opentelemetry/api`.
   * @default false
   */
  readonly tracing?: boolean | RequestTracing | undefined
  /**
   * Where moves of refs are told as push events (docs/webhooks.md).
   * @default none
   */
  readonly webhooks?: PushOptions | undefined
  /** Called for each event of the server's log. */
  readonly log?: ((event: Readonly<Record<string, unknown>>) => void) | undefined
  /** @internal The process is a worker: another one accepts the connections, and knows the figures of all workers. */
  readonly primary?: Primary | undefined
}

/** A running server. */
export interface RunningServer extends AsyncDisposable {
  /** URL of the HTTP server: `http://127.0.0.1:PORT`, or `https://…`. */
  readonly http: string
  /** URL of the gRPC server. */
  readonly grpc: string
  /** URL of the admin port; undefined = it is closed. */
  readonly admin: string | undefined
  /** The figures of this process. */
  readonly metrics: { snapshot(): ServerFigures }
  /** @internal The bytes that requests hold. */
  readonly memory: Pick<
    MemoryBudget,
    'heldBytes' | 'peakBytes' | 'refusals' | 'unread' | 'maxBytes' | 'maxConnectionBytes'
  >
  /** Goes on with the access log in a new file of its path: the old one was renamed. */
  reopenAccessLog(): Promise<void>
  /** Refuses new work, answers accepted work, closes the store. `await using` does the same. */
  close(): Promise<void>
}
