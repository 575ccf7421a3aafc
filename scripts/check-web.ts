/**
 * `npm run check:web`: bundles the client for browsers, as an application does that calls `createClient`, and holds the
 * bundle against its limit. A module of Node anywhere in the graph fails the bundle.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import { webGraph } from './web/graph.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Bytes, minified and gzipped, of the chunks that a page loads to begin with; docs/runtimes.md tells what they are. */
const maxBytes = 76_500

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

const result = await build({
  stdin: { contents: "export { BlobwireError, createClient } from './src/index.ts'", resolveDir: root },
  bundle: true,
  minify: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  outdir: join(root, 'dist'),
  write: false,
  metafile: true,
  // The check of Node's version, which is empty in this graph.
  logOverride: { 'ignored-bare-import': 'silent' },
  plugins: [graph]
})

const sizes = new Map(result.outputFiles.map(({ path, contents }) => [path, gzipSync(contents, { level: 9 }).length]))
const { outputs } = result.metafile
const sizeOf = (names: Iterable<string>) =>
  [...names].reduce((sum, name) => sum + (sizes.get(join(process.cwd(), name)) ?? 0), 0)

/** A chunk and those that it loads: at once, or ever. */
function loadedBy(name: string, when: 'at once' | 'ever', seen: Set<string> = new Set()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const { path, kind } of outputs[name]?.imports ?? []) {
    if (when === 'ever' || kind === 'import-statement') loadedBy(path, when, seen)
  }
  return seen
}

const entry = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === '<stdin>') as string
const chunks = loadedBy(entry, 'at once')
const first = sizeOf(chunks)
const all = sizeOf(loadedBy(entry, 'ever'))
console.log(
  `the client for browsers: ${first} bytes gzipped to begin with, ${all} with what is loaded when it is needed`
)
if (process.argv.includes('--modules')) {
  const inputs = Object.entries(outputs).flatMap(([chunk, { inputs }]) =>
    Object.entries(inputs).map(
      ([name, { bytesInOutput }]) => [bytesInOutput, name, chunks.has(chunk) ? '' : 'later'] as const
    )
  )
  for (const [bytes, name, when] of inputs.toSorted(([one], [other]) => other - one)) console.log(bytes, name, when)
}
if (first > maxBytes) {
  console.error(`more than ${maxBytes} bytes; --modules lists the largest modules`)
  process.exitCode = 1
}
