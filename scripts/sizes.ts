/**
 * `npm run sizes [-- TARBALL]`: prints how large the package is, packed, installed and in a bundle, and how long its import
 * and the first call take. Installs the tarball, which is packed unless given, into a temporary directory; needs the registry.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { startServer } from '../server-fixture/server.ts'
import { pack } from './pack.ts'

const run = promisify(execFile)
const esbuild = fileURLToPath(new URL('../node_modules/.bin/esbuild', import.meta.url))
const runs = 31

const kib = (bytes: number) => `${Math.round(bytes / 1024).toLocaleString('en')} KiB`
const print = (what: string, figure: string) => process.stdout.write(`${what.padEnd(52)}${figure}\n`)

async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Prints the medians of a script: milliseconds, and those of the processor. */
async function time(cwd: string, what: string, script: string): Promise<void> {
  const timed = `const start = performance.now(), cpu = process.cpuUsage()
    ${script}
    const { user, system } = process.cpuUsage(cpu)
    console.log(performance.now() - start, (user + system) / 1000)
    process.exit(0)`
  const rounds: number[][] = []
  for (let round = 0; round < runs; round++) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', timed], { cwd })
    rounds.push(stdout.trim().split(' ').map(Number))
  }
  const median = (place: number) =>
    rounds.map((times) => times[place] ?? 0).sort((left, right) => left - right)[runs >> 1]
  print(what, `${median(0)?.toFixed(1)} ms, processor ${median(1)?.toFixed(1)} ms`)
}

async function bundle(cwd: string, what: string, ...options: string[]): Promise<void> {
  await writeFile(join(cwd, 'entry.mjs'), "export * from 'blobwire'\n")
  const common = ['entry.mjs', '--bundle', '--platform=node', '--format=cjs', '--minify', '--outfile=bundle.cjs']
  await run(esbuild, [...common, '--log-level=error', ...options], { cwd })
  const bytes = await readFile(join(cwd, 'bundle.cjs'))
  print(what, `${kib(bytes.length)}, gzip ${kib(gzipSync(bytes).length)}`)
}

const directory = await mkdtemp(join(tmpdir(), 'blobwire-sizes-'))
const server = await startServer({ store: 'memory' })
try {
  const tarball = process.argv[2] === undefined ? await pack(directory) : resolve(process.argv[2])
  print('tarball', kib((await stat(tarball)).size))
  await writeFile(join(directory, 'package.json'), '{}')
  await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball], {
    cwd: directory
  })
  const lock = JSON.parse(await readFile(join(directory, 'package-lock.json'), 'utf8')) as { packages: object }
  const modules = join(directory, 'node_modules')
  const packages = Object.keys(lock.packages).length - 1
  print('installed', `${packages} packages, ${kib(await bytesIn(modules))}`)
  print('of that the package itself', kib(await bytesIn(join(modules, 'blobwire'))))
  await bundle(directory, 'bundle of esbuild, minified')
  await bundle(directory, '  without @grpc/proto-loader', '--external:@grpc/proto-loader')
  await bundle(directory, '  without gRPC', '--external:@grpc/*')
  await bundle(
    directory,
    '  of blobwire alone',
    ...['undici', 'p-retry', '@msgpack/*', '@grpc/*', 'picomatch', 'modern-tar', 'yazl', 'yaml'].map(
      (name) => `--external:${name}`
    )
  )
  await time(directory, "import 'blobwire'", "await import('blobwire')")
  const endpoints = { msgpack: server.http, grpc: server.grpc.replace(/^http/, 'grpc') }
  for (const [transport, endpoint] of Object.entries(endpoints)) {
    const call = `const { createClient } = await import('blobwire')
      await createClient({ endpoint: '${endpoint}', transport: '${transport}' }).getCapabilities()`
    await time(directory, `import and first call, ${transport}`, call)
  }
} finally {
  await server.close()
  await rm(directory, { recursive: true })
}
