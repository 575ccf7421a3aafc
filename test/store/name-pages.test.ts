/** Pages of names: their order, and that a later page does not list everything anew. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { compareNames, pageOfNames } from '../../server-fixture/store/name-page.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { hashObject } from '../../src/git/oid.ts'
import { openCounting } from '../support/counting-git.ts'
import { randomNumbers } from '../support/random.ts'
import { repository } from '../support/services.ts'

test('names have the order of their UTF-8 bytes, and pages are parts of it', () => {
  const random = randomNumbers(12)
  const letters = ['a', 'b', '/', '-', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}']
  const text = () => Array.from({ length: random(4) }, () => letters[random(letters.length)]).join('')
  for (let round = 0; round < 300; round++) {
    const names = [...new Set(Array.from({ length: random(30) }, text))]
    const expected = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    assert.deepEqual(names.sort(compareNames), expected)
    const [prefix, after, limit] = [text().slice(0, random(3)), text(), 1 + random(5)]
    const page = expected.filter((name) => {
      return name.startsWith(prefix) && (after === '' || Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0)
    })
    assert.deepEqual(pageOfNames(expected, { prefix, after, limit }), page.slice(0, limit))
  }
})

const content = Buffer.from('x')
const oid = hashObject('blob', content, 'sha1')
const zero = '0'.repeat(40)

/** A Git store with 30 tags. */
async function openWithTags(context: TestContext) {
  const opened = await openCounting(context)
  const { store } = opened
  await store.createRepository(repository, 'sha1')
  await store.putObjects(repository, [{ oid, kind: 'blob', content }])
  await store.updateRefs(
    repository,
    Array.from({ length: 30 }, (_, index) => move(`t${10 + index}`))
  )
  return { ...opened, listed: () => opened.started('for-each-ref') }
}

const move = (name: string) => ({ name: `refs/tags/${name}`, expectedOid: zero, newOid: oid })

async function page(store: Store, after: string): Promise<string[]> {
  const refs = await store.listRefs(repository, {
    prefix: 'refs/tags/',
    after: after && `refs/tags/${after}`,
    limit: 5
  })
  assert.ok(refs.every((ref) => ref.oid === oid))
  return refs.map(({ name }) => name.slice('refs/tags/'.length))
}

test('later pages of refs go on with the names that the first one found', async (context) => {
  const { store, listed } = await openWithTags(context)
  const names: string[] = []
  for (let after = ''; ; ) {
    const found = await page(store, after)
    names.push(...found)
    if (found.length < 5) break
    after = found.at(-1) ?? ''
  }
  assert.deepEqual(
    names,
    Array.from({ length: 30 }, (_, index) => `t${10 + index}`)
  )
  assert.equal(await listed(), 1)
})

test('a ref that is made or deleted between two pages is there, or is not', async (context) => {
  const { store } = await openWithTags(context)
  assert.deepEqual(await page(store, ''), ['t10', 't11', 't12', 't13', 't14'])
  await store.updateRefs(repository, [move('t145')])
  await store.updateRefs(repository, [{ ...move('t15'), expectedOid: oid, newOid: zero }])
  assert.deepEqual(await page(store, 't14'), ['t145', 't16', 't17', 't18', 't19'])
})

test('a ref that git itself deletes between two pages is left out', async (context) => {
  const { store, gitDir } = await openWithTags(context)
  await page(store, '')
  await rm(join(gitDir, 'refs/tags/t16'))
  assert.deepEqual(await page(store, 't14'), ['t15', 't17', 't18', 't19', 't20'])
})

test('a repository that is made or deleted between two pages is there, or is not', async (context) => {
  const { store } = await openWithTags(context)
  for (const name of ['a', 'b', 'c', 'd']) await store.createRepository(`x/${name}`, 'sha1')
  const names = async (after: string) => {
    const infos = await store.listRepositories({ prefix: 'x/', after, limit: 2 })
    return infos.map((info) => info.repository)
  }
  assert.deepEqual(await names(''), ['x/a', 'x/b'])
  await store.createRepository('x/bb', 'sha1')
  await store.deleteRepository('x/c')
  assert.deepEqual(await names('x/b'), ['x/bb', 'x/d'])
})
