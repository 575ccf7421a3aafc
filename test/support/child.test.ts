import assert from 'node:assert/strict'
import { test } from 'node:test'

test('a child process prints without colours, although its parent is told to use them', async () => {
  process.env['FORCE_COLOR'] = '1'
  const { runNode } = await import('./child.ts')
  const { stdout } = await runNode('-e', 'console.log(1)')
  assert.equal(stdout, '1\n')
})
