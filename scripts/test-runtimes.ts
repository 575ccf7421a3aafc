/**
 * `npm run test:runtimes`: the package, packed and installed, on Deno and Bun. Both are installed from npm into a temporary
 * directory, and need some 200 MB there; they are no dependencies of this repository.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundle } from '../runtimes/bundle.ts'
import type { Outcome } from '../runtimes/cases.ts'
import { problemsOf, startServers } from '../runtimes/servers.ts'
import { pack } from './pack.ts'

const run = promisify(execFile)
/** Versions of their packages, and how each runs a program: Deno with the network, and nothing else of the machine. */
const runtimes = {
  deno: { version: '2.9.6', flags: ['run', '--allow-net'] },
  bun: { version: '1.4.5', flags: ['run'] }
} as const

const directory = await mkdtemp(join(tmpdir(), 'blobwire-runtimes-'))
try {
  await writeFile(join(directory, 'package.json'), '{ "private": true, "type": "module" }')
  const packages = Object.entries(runtimes).map(([name, { version }]) => `${name}@${version}`)
  const flags = ['--no-audit', '--no-fund', '--silent']
  await run('npm', ['install', ...flags, ...packages, await pack(directory)], { cwd: directory })
  const external = ['blobwire', 'node:*']
  await bundle('main.ts', directory, { platform: 'neutral', mainFields: ['module', 'main'], external })
  for (const [name, { version, flags }] of Object.entries(runtimes)) {
    const problems = await problemsOn(name, flags)
    console.log(`${name} ${version}: ${problems.length === 0 ? 'every case holds' : problems.join('\n\n')}`)
    if (problems.length > 0) process.exitCode = 1
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function problemsOn(name: string, flags: readonly string[]): Promise<string[]> {
  const servers = await startServers()
  try {
    const program = join(directory, 'node_modules', '.bin', name)
    const given = [...flags, join(directory, 'main.js'), name, JSON.stringify(servers.addresses)]
    const { stdout } = await run(program, given, { cwd: directory, timeout: 120_000 })
    return problemsOf(name, JSON.parse(stdout) as Outcome[])
  } catch (error) {
    return [String(error)]
  } finally {
    await servers[Symbol.asyncDispose]()
  }
}
