/** The lists of guards fit the code: `npm run test:guards` can break each of them. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { readGuards } from '../../scripts/guards/lists.ts'
import { root } from '../support/child.ts'

const lists = await readGuards(root)

for (const [list, guards] of lists) {
  test(`${list}: each guard is found once in its file, can be broken, and names tests`, () => {
    for (const { name, file, from, to, tests } of guards) {
      const parts = readFileSync(join(root, file), 'utf8').split(from)
      assert.equal(parts.length, 2, `${name}: ${JSON.stringify(from)} occurs ${parts.length - 1} times in ${file}`)
      assert.notEqual(from, to, name)
      if (file.endsWith('.ts')) stripTypeScriptTypes(parts.join(to))
      assert.ok(tests.length > 0, name)
      for (const path of tests) assert.ok(existsSync(join(root, path)), `${name}: there is no ${path}`)
    }
  })
}

test('every guard has a name of its own', () => {
  const names = [...lists.values()].flat().map(({ name }) => name)
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    []
  )
})
