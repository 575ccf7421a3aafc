/** A user's program: a process of node:cluster that uses the client in two worker threads. */
import cluster from 'node:cluster'
import { Worker } from 'node:worker_threads'

if (cluster.isPrimary) cluster.fork().on('exit', (code) => process.exit(code))
else {
  const everywhere = new URL('everywhere.mjs', import.meta.url)
  for (let count = 0; count < 2; count++) new Worker(everywhere, { argv: process.argv.slice(-2) })
  cluster.worker.disconnect()
}
