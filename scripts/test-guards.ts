/**
 * `npm run test:guards [-- --only TEXT] [--jobs N] [--timeout SECONDS]`: breaks the guards of `test/guards/` one by one in
 * a copy of the repository, and prints those that no test misses. `--only` takes the guards whose list, name or file holds
 * the text. Exits with 1 where a guard is unnoticed or could not be broken, or a test fails although nothing is broken.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readGuards } from './guards/lists.ts'
import { runGuards } from './guards/run-guards.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    timeout: { type: 'string', default: '120' }
  }
})
const jobs = Number(values.jobs)
if (!(Number.isInteger(jobs) && jobs >= 1 && jobs <= 16)) throw new Error(`--jobs ${values.jobs}: must be from 1 to 16`)
const timeoutMs = Number(values.timeout) * 1000
if (!(timeoutMs >= 1000)) throw new Error(`--timeout ${values.timeout}: must be at least 1 second`)

const root = fileURLToPath(new URL('..', import.meta.url))
const guards = [...(await readGuards(root))].flatMap(([list, all]) =>
  all.filter(({ name, file }) => `${list}\n${name}\n${file}`.includes(values.only))
)
if (guards.length === 0) throw new Error(`--only ${JSON.stringify(values.only)}: no guard has this text`)

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
const print = (line: string) => process.stdout.write(`${line}\n`)
const start = performance.now()
let failing = 0
const verdicts = await runGuards(root, guards, {
  jobs,
  timeoutMs,
  signal: stop.signal,
  onFailsUnbroken: (file, { outcome, detail }) => {
    failing++
    print(`${outcome}, although nothing is broken: ${file}: ${detail}`)
  },
  onVerdict: ({ guard, state, detail, ms }) =>
    print(`${state}: ${guard.name} (${guard.file}; ${(ms / 1000).toFixed(1)} s)\n    ${detail}`)
})
const count = (state: string) => verdicts.filter((verdict) => verdict.state === state).length
const lost = verdicts.filter(({ state }) => state !== 'noticed')
print(
  `\n${guards.length} guards: ${count('noticed')} noticed, ${count('UNNOTICED')} unnoticed, ` +
    `${count('could not be broken')} could not be broken; ${failing} test files fail unbroken; ` +
    `${((performance.now() - start) / 1000).toFixed(0)} s`
)
for (const { guard, state } of lost) print(`  ${state}: ${guard.name} (${guard.file})`)
if (lost.length > 0 || failing > 0 || verdicts.length < guards.length) process.exitCode = 1
