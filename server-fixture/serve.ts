/** Runs a server until a signal ends the process: one line on stdout when it is ready, a log on stderr, SIGTERM drains. */
import type { CommandLine } from './options.ts'
import { startServer } from './server.ts'
import { startPrimary } from './workers/primary.ts'

/** The process exits after this time even if calls are still pending. */
const drainMs = 10_000

function log(event: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`)
}

/** Where a server listens. */
export interface Addresses {
  readonly http: string
  readonly grpc: string
  /** Undefined without `--admin-port`. */
  readonly admin: string | undefined
}

/**
 * Resolves when the server is ready. Workers are started with the same command line. Prints the addresses as a line of
 * JSON.
 */
export async function serve({ workers, ...options }: CommandLine, args: readonly string[]): Promise<Addresses> {
  const server =
    workers === undefined
      ? await startServer({ ...options, log })
      : await startPrimary({ ...options, workers, args, log })
  const addresses = { http: server.http, grpc: server.grpc, admin: server.admin }
  process.stdout.write(`${JSON.stringify(addresses)}\n`)
  if (options.accessLog !== undefined) {
    process.on('SIGHUP', () => {
      server.reopenAccessLog().catch((error) => log({ event: 'access_log_failed', message: String(error) }))
    })
  }
  const stop = (signal: string) => {
    log({ event: 'draining', signal })
    setTimeout(() => {
      log({ event: 'drain_timeout', afterMs: drainMs })
      process.exit(1)
    }, drainMs).unref()
    server.close().then(
      () => process.exit(0),
      (error) => {
        log({ event: 'close_failed', message: String(error) })
        process.exit(1)
      }
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  return addresses
}
