/**
 * `npm run check:web`: bundles the client for browsers, as an application does that calls `createClient`, runs it, and holds
 * the chunks that a first call loads against their limit. A module of Node anywhere in the graph fails the bundle.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { startServer } from '../server-fixture/server.ts'
import { webGraph } from './web/graph.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Bytes, minified and gzipped, of the chunks that a page loads for its first call; docs/runtimes.md tells what they are. */
const maxBytes = 67_000

const modules = webGraph(join(root, 'src'), ['index.ts'])
const graph: Plugin = {
  name: 'web-graph',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /\/later\.ts$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      sideEffects: false
    }))
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({ contents: modules.get(path) ?? '', loader: 'ts' }))
  }
}

const outdir = mkdtempSync(join(tmpdir(), 'blobwire-web-'))
const options = {
  stdin: { contents: "export { BlobwireError, createClient } from './src/index.ts'", resolveDir: root },
  bundle: true,
  minify: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  outdir,
  outExtension: { '.js': '.mjs' },
  metafile: true,
  // The check of Node's version, which is empty in this graph.
  logOverride: { 'ignored-bare-import': 'silent' },
  plugins: [graph]
} as const satisfies BuildOptions
try {
  await check()
} finally {
  rmSync(outdir, { recursive: true })
}

async function check(): Promise<void> {
  const { outputs } = (await build(options)).metafile
  const loaded = await loadedByFirstCall()
  const sizeOf = (name: string) => gzipSync(readFileSync(join(outdir, name)), { level: 9 }).length
  const first = [...loaded].reduce((sum, name) => sum + sizeOf(name), 0)
  // Others are of packages that few calls need.
  const later = sizeOf(
    Object.keys(outputs)
      .map((path) => basename(path))
      .find((name) => name.startsWith('later-')) ?? ''
  )
  console.log(`the client for browsers: ${first} bytes gzipped for a first call, ${later} more for others`)
  if (process.argv.includes('--modules')) {
    const inputs = Object.entries(outputs).flatMap(([chunk, { inputs }]) =>
      Object.entries(inputs).map(
        ([name, { bytesInOutput }]) => [bytesInOutput, name, loaded.has(basename(chunk)) ? '' : 'later'] as const
      )
    )
    for (const [bytes, name, when] of inputs.toSorted(([one], [other]) => other - one)) console.log(bytes, name, when)
  }
  if (first <= maxBytes) return
  console.error(`more than ${maxBytes} bytes; --modules lists the largest modules`)
  process.exitCode = 1
}

/** The chunks that a page has loaded after it has stored a blob and read it. */
async function loadedByFirstCall(): Promise<ReadonlySet<string>> {
  const loaded = new Set<string>()
  const hooks = registerHooks({
    load(url, context, next) {
      if (url.includes(basename(outdir))) loaded.add(basename(url))
      return next(url, context)
    }
  })
  const server = await startServer({ store: 'memory' })
  const body = JSON.stringify({ repository: 'first' })
  const headers = { 'content-type': 'application/json' }
  await fetch(`${server.http}/blobwire.v1.VcsService/CreateRepository`, { method: 'POST', headers, body })
  const { createClient } = (await import(
    pathToFileURL(join(outdir, 'stdin.mjs')).href
  )) as typeof import('../src/index.ts')
  const client = createClient({ endpoint: server.http })
  const { oid } = await client.storeBlob('first', 'content')
  await client.getBlob('first', oid)
  await client.close()
  await server.close()
  hooks.deregister()
  return loaded
}
