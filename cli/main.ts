#!/usr/bin/env node
/** The command `blobwire`. */
try {
  // A Node that is too old cannot even load the rest.
  await import('../src/check-node.cts')
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exit(1)
}
const { main } = await import('./command-line.ts')
const { processIo } = await import('./io.ts')

process.exitCode = await main(process.argv.slice(2), processIo())
