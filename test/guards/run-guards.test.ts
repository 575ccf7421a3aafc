/** The runner of `npm run test:guards`, on a repository of one function. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runGuards } from '../../scripts/guards/run-guards.ts'
import { temporaryDirectory } from '../store/support.ts'
import type { Guard } from './guard.ts'

const source = `export function half(value: number): number {
  if (value < 0) throw new RangeError('negative')
  if (value > 100) throw new RangeError('too large')
  return value / 2
}
`
const testOf = (body: string) => `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { half } from '../half.ts'
${body}
`
const files = {
  'half.ts': source,
  'test/negative.test.ts': testOf(`test('no negative value', () => assert.throws(() => half(-1)))`),
  'test/even.test.ts': testOf(`test('half of 4', () => assert.equal(half(4), 2))`),
  'test/red.test.ts': testOf(`test('always red', () => assert.fail())`),
  'test/waits.test.ts': testOf(
    `test('waits', async () => { if (half(2) !== 1) await new Promise((r) => setTimeout(r, 60_000)) })`
  )
}

const negative = { file: 'half.ts', from: 'if (value < 0)', to: 'if (false)' }
const guard = (fields: Partial<Guard> & Pick<Guard, 'name' | 'tests'>): Guard => ({ ...negative, ...fields })

async function run(context: TestContext, guards: readonly Guard[], jobs = 1) {
  const root = await temporaryDirectory(context)
  await mkdir(join(root, 'test'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text)
  const before = process.env['TMPDIR']
  const temporary = await temporaryDirectory(context)
  process.env['TMPDIR'] = temporary
  const red: string[] = []
  try {
    const verdicts = await runGuards(root, guards, {
      jobs,
      timeoutMs: 4000,
      signal: new AbortController().signal,
      onVerdict: () => undefined,
      onFailsUnbroken: (file) => red.push(file)
    })
    assert.equal(await readFile(join(root, 'half.ts'), 'utf8'), source, 'the repository itself stays as it is')
    assert.deepEqual(await readdir(temporary), [], 'the copies are removed')
    return { states: verdicts.map(({ state }) => state), details: verdicts.map(({ detail }) => detail), red }
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

test('a guard with a test is noticed, one that nobody holds is unnoticed, and the next guard finds the file whole', async (context) => {
  const { states, details, red } = await run(context, [
    guard({ name: 'held', tests: ['test/even.test.ts', 'test/negative.test.ts'] }),
    guard({ name: 'by nobody', from: 'if (value > 100)', to: 'if (false)', tests: ['test/negative.test.ts'] })
  ])
  assert.deepEqual(states, ['noticed', 'UNNOTICED'])
  assert.equal(details[0], 'test/negative.test.ts: no negative value')
  assert.deepEqual(red, [])
})

test('a test that fails although nothing is broken does not count', async (context) => {
  const { states, red } = await run(context, [guard({ name: 'red', tests: ['test/red.test.ts'] })])
  assert.deepEqual(states, ['UNNOTICED'])
  assert.deepEqual(red, ['test/red.test.ts'])
})

test('code that cannot be broken as the list says is told apart', async (context) => {
  const tests = ['test/even.test.ts']
  const { states } = await run(context, [
    guard({ name: 'gone', from: 'if (value < 7)', tests }),
    guard({ name: 'twice', from: 'throw new RangeError', tests }),
    guard({ name: 'no code', to: 'if (', tests }),
    guard({ name: 'unknown name', to: 'if (valeu < 0)', tests })
  ])
  assert.deepEqual(new Set(states), new Set(['could not be broken']))
})

test('a test that waits for ever counts only where the guard says so', async (context) => {
  const broken = { from: 'value / 2', to: 'value', tests: ['test/waits.test.ts'] }
  const guards = [guard({ name: 'silent', ...broken }), guard({ name: 'may hang', ...broken, mayHang: true })]
  const { states } = await run(context, guards, 2)
  assert.deepEqual(states, ['UNNOTICED', 'noticed'])
})
