/** A worker: a server that has its connections from the primary process. Started by `WorkerProcess`. */
import { failedStart } from '../failed-start.ts'
import { readOptions } from '../options.ts'
import { startServer } from '../server.ts'
import { FromPrimary } from './from-primary.ts'

try {
  const primary = await FromPrimary.connect()
  const { workers: _, ...options } = { ...(await readOptions(process.argv.slice(2))) }
  const log = (event: Readonly<Record<string, unknown>>) =>
    process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), worker: primary.place, ...event })}\n`)
  const server = await startServer({
    ...options,
    // The primary has it.
    adminPort: undefined,
    log,
    primary
  })
  let isDraining = false
  const drain = () => {
    if (isDraining) return
    isDraining = true
    primary.draining()
    const close = async () => {
      await server.close()
      await primary.last(server.metrics.snapshot())
    }
    close().then(
      () => process.exit(0),
      (error) => {
        log({ event: 'close_failed', message: String(error) })
        process.exit(1)
      }
    )
  }
  // Of this worker alone: another one takes its place. A signal to the whole group reaches the primary, too.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, drain)
  primary.ready({
    drain,
    reopen: () => server.reopenAccessLog().catch((error) => log({ event: 'access_log_failed', message: String(error) }))
  })
} catch (error) {
  process.exitCode = failedStart(error, 'npm run server --')
  process.disconnect?.()
}
