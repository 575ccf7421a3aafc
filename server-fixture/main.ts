/** The server as a process: flags, one line on stdout when it is ready, a log on stderr, SIGTERM drains. */
import type { BlobwireError } from '../src/core/error.ts'
import type { KnownReason } from '../src/core/reasons.ts'
import { readOptions, UsageError, usage } from './options.ts'
import { type ServerOptions, startServer } from './server.ts'

/** The process exits after this time even if calls are still pending. */
const drainMs = 10_000

function log(event: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`)
}

/** Another start would fail, too: somebody has to look at the data directory, or at git. */
const lasting: readonly unknown[] = ['data_format', 'journal_damaged', 'git_version'] satisfies KnownReason[]

async function run(options: ServerOptions): Promise<void> {
  const server = await startServer({ ...options, log })
  process.stdout.write(`${JSON.stringify({ http: server.http, grpc: server.grpc, admin: server.admin })}\n`)
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
}

try {
  const options = await readOptions(process.argv.slice(2))
  if (options === undefined) process.stdout.write(`${usage}\n`)
  else await run(options)
} catch (error) {
  const known = error instanceof UsageError
  const { message, reason } = error as Partial<BlobwireError>
  process.stderr.write(known ? `${message}\n\n${usage}\n` : `cannot start: ${message}${reason ? ` (${reason})` : ''}\n`)
  process.exitCode = known ? 2 : lasting.includes(reason) ? 3 : 1
}
