/**
 * `npm run test:run [-- OPTION…]`: runs all tests; options are those of `node --test`. A process of Node needs up to half a
 * second of processor time before its first test, most of it for loading modules. So up to eight files of a directory share
 * one, and all processes, those that tests start as well, share a cache of compiled modules, which is made anew in each run.
 * They share a database engine, too, which is started for the first test that needs one.
 * One file is run as ever: `node --test test/core/error.test.ts`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { startTestEngine } from '../test/support/database-engine.ts'
import { engineOfRun, offerEngine } from './run-tests/engine.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const most = 8

/** A file that judges its whole process has one of its own. */
const judgesProcess = /process\.(?:memoryUsage|resourceUsage|cpuUsage|getActiveResourcesInfo)|setFlagsFromString/

/** Test files, each with those that share a process with it: the longest first, so that none of them is the last alone. */
function groupFiles(): string[][] {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  const groups: string[][] = []
  const open = new Map<string, string[]>()
  for (const name of files.filter((file) => file.endsWith('.test.ts')).sort()) {
    const file = join(root, 'test', name)
    const group = open.get(dirname(file))
    if (judgesProcess.test(readFileSync(file, 'utf8'))) groups.push([file])
    else if (group !== undefined && group.length < most) group.push(file)
    else {
      const begun = [file]
      open.set(dirname(file), begun)
      groups.push(begun)
    }
  }
  const sizeOf = (group: readonly string[]) => group.reduce((sum, file) => sum + statSync(file).size, 0)
  return groups.sort((a, b) => sizeOf(b) - sizeOf(a))
}

const engine = await offerEngine(startTestEngine)
const temporary = mkdtempSync(join(tmpdir(), 'blobwire-tests-'))
try {
  const entries = groupFiles().map((files, index) => {
    // Node runs files in the order of their names.
    const entry = join(temporary, `${String(index).padStart(4, '0')}.mjs`)
    writeFileSync(entry, files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)}\n`).join(''))
    return entry
  })
  const cache = join(temporary, 'compiled')
  mkdirSync(cache)
  const options = ['--test-concurrency=3', '--test-reporter=spec', ...process.argv.slice(2)]
  const env = { NODE_COMPILE_CACHE: cache, [engineOfRun]: String(engine.port), ...process.env }
  const child = spawn(process.execPath, ['--test', ...options, ...entries], { cwd: root, env, stdio: 'inherit' })
  // It ends the tests; this process then removes the files and the engine.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'close')
  process.exitCode = code ?? 1
} finally {
  await engine.close()
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5 })
}
