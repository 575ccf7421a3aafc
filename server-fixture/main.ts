/** The server as a process: flags, one line on stdout when it is ready, a log on stderr, SIGTERM drains. */
import { failedStart } from './failed-start.ts'
import { type CommandLine, readOptions, usage } from './options.ts'
import { startServer } from './server.ts'
import { startPrimary } from './workers/primary.ts'

/** The process exits after this time even if calls are still pending. */
const drainMs = 10_000

function log(event: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`)
}

async function run({ workers, ...options }: CommandLine): Promise<void> {
  const server =
    workers === undefined
      ? await startServer({ ...options, log })
      : await startPrimary({ ...options, workers, args: process.argv.slice(2), log })
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
  process.exitCode = failedStart(error)
}
