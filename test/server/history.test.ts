/** Git itself judges the service's view of history: order and paths of the log, differences, revisions. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { randomNumbers } from '../support/random.ts'

const repository = 'demo'
const zero = '0'.repeat(40)
const paging = { pageSize: 0, pageToken: '' }
const context = { principal: { may: () => true }, signal: new AbortController().signal, requestId: 'test' }

let data: string
let store: GitStore
let call: (method: string, request: object) => Promise<object>
const tips: string[] = []

const environment = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }

function git(...args: string[]): string {
  const settings = ['core.quotePath=false', 'user.name=A', 'user.email=a@b', 'advice.nestedTag=false']
  return execFileSync('git', [...settings.flatMap((setting) => ['-c', setting]), ...args], {
    cwd: join(data, `${repository}.git`),
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']
  })
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '')

/** History with many merges, equal dates, and dates that run backwards, over files that come, change and go. */
async function makeHistory(): Promise<void> {
  const pick = randomNumbers(20_260_101)
  const paths = ['a', 'a.b', 'a/x', 'a/y/z', 'b/c', 'b-c', 'ü/ß', 'top']
  const blobs: string[] = []
  for (let index = 0; index < 4; index++) {
    const stored = await call('StoreBlob', { repository, content: Buffer.from(`content ${index}\n`) })
    blobs.push((stored as { oid: string }).oid)
  }
  for (let index = 0; index < 120; index++) {
    const entries = new Map<string, object>()
    for (const path of paths) {
      const isFree = path !== 'a' || ![...entries.keys()].some((other) => other.startsWith('a/'))
      if (pick(3) === 0 || !isFree || (path.startsWith('a/') && entries.has('a'))) continue
      const mode = ['100644', '100644', '100755', '120000'][pick(4)]
      entries.set(path, { path, mode, oid: blobs[pick(2)] })
    }
    const tree = await call('StoreTree', { repository, entries: [...entries.values()], baseTree: '' })
    const count = tips.length === 0 || pick(25) === 0 ? 0 : 1 + (pick(3) === 0 ? 1 + pick(2) : 0)
    const parents = new Set(
      Array.from({ length: count }, () => tips[Math.max(0, tips.length - 1 - pick(12))] as string)
    )
    const author = { name: 'A', email: 'a@b', timeSeconds: 1_700_000_000 + index * 3 - pick(40) * 2, zone: '+0000' }
    const made = await call('StoreCommit', {
      repository,
      tree: (tree as { oid: string }).oid,
      parents: [...parents],
      author,
      message: `${index}\n`
    })
    tips.push((made as { oid: string }).oid)
  }
  const updates = [['refs/heads/main', tips.at(-1)] as const, ['refs/tags/main', tips[60]] as const].map(
    ([name, newOid]) => ({ name, expectedOid: zero, newOid })
  )
  await call('UpdateRefs', { repository, updates })
}

before(async () => {
  data = await mkdtemp(join(tmpdir(), 'blobwire-history-'))
  store = await GitStore.open(data)
  const service = new Service(store, { serverVersion: '0', onInternalError: (error) => assert.fail(String(error)) })
  call = (method, request) => service.call(method, request, context)
  await call('CreateRepository', { repository, objectFormat: '' })
  await makeHistory()
})
after(async () => {
  await store.close()
  await rm(data, { recursive: true, force: true })
})

async function logOf(revision: string, path: string, pageSize: number): Promise<string[]> {
  const oids: string[] = []
  let pageToken = ''
  do {
    const request = { repository, revision, path, pageSize, pageToken }
    const page = (await call('ListCommits', request)) as Messages['ListCommitsResponse']
    oids.push(...page.commits.map(({ oid }) => oid))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return oids
}

test('ListCommits has the order of git log, with merges and dates that run backwards', async () => {
  assert.ok(lines(git('log', '--merges', '--format=%H', 'refs/heads/main')).length >= 10)
  for (const tip of tips.slice(-12)) {
    const expected = lines(git('log', '--format=%H', tip))
    assert.deepEqual(await logOf(tip, '', 1000), expected)
  }
  const expected = lines(git('log', '--format=%H', 'refs/heads/main'))
  assert.deepEqual(await logOf('refs/heads/main', '', 7), expected, 'in pages')
})

test('ListCommits of a path leaves out what git log leaves out', async () => {
  for (const path of ['a', 'a/y', 'a/y/z', 'b/c', 'ü/ß', 'top', 'none']) {
    const expected = lines(git('log', '--format=%H', 'refs/heads/main', '--', path))
    assert.deepEqual(await logOf('refs/heads/main', path, 1000), expected, path)
  }
})

const statuses: Readonly<Record<string, string>> = { A: 'added', D: 'deleted', M: 'modified', T: 'type_changed' }

test('Compare is git diff-tree -r', async () => {
  for (let index = 1; index < tips.length; index += 3) {
    const [base, head] = [tips[index - 1] as string, tips[index] as string]
    const raw = git('diff-tree', '-r', '--no-renames', '--raw', '--no-abbrev', '-z', base, head).split('\0')
    const expected: object[] = []
    for (let at = 0; at + 1 < raw.length; at += 2) {
      const [oldMode, newMode, oldOid, newOid, letter] = (raw[at] as string).slice(1).split(' ') as string[]
      const fact = (absent: boolean, text: string | undefined) => (absent ? '' : text)
      expected.push({
        path: raw[at + 1],
        status: statuses[letter as string],
        oldMode: fact(letter === 'A', oldMode),
        oldOid: fact(letter === 'A', oldOid),
        newMode: fact(letter === 'D', newMode),
        newOid: fact(letter === 'D', newOid)
      })
    }
    const answer = (await call('Compare', { repository, base, head, ...paging })) as Messages['CompareResponse']
    assert.deepEqual(
      answer.changes.map(({ rawPath: _rawPath, ...change }) => change),
      expected
    )
  }
})

test('GetTree is git ls-tree, also in pages', async () => {
  for (const [recursive, flags] of [[true, ['-r', '-t']] as const, [false, []] as const]) {
    const expected = git('ls-tree', '-z', ...flags, tips.at(-1) as string)
      .split('\0')
      .slice(0, -1)
    const found: string[] = []
    let pageToken = ''
    do {
      const request = { repository, revision: tips.at(-1), path: '', recursive, pageSize: 2, pageToken }
      const page = (await call('GetTree', request)) as Messages['GetTreeResponse']
      for (const { mode, oid, path } of page.entries) found.push(`${mode} ${kindOf(mode)} ${oid}\t${path}`)
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    assert.deepEqual(found, expected)
  }
})

const kindOf = (mode: string) => (mode === '040000' ? 'tree' : 'blob')

test('revisions mean the same as in git rev-parse, tags before branches', async () => {
  git('tag', '-a', '-m', 'annotated', 'v1', tips[100] as string)
  git('tag', '-a', '-m', 'of a tag', 'v2', 'v1')
  const forms = ['HEAD', 'main', 'heads/main', 'tags/main', 'refs/heads/main', 'v1', 'v2', tips[5] as string]
  const suffixes = ['', '~', '^', '~3', '^^', '~1^1', '^2', '^0', '~0', '^2~1', '^3', '~99999', '^9']
  for (const base of forms) {
    for (const suffix of suffixes) {
      const revision = base + suffix
      let expected: string
      try {
        expected = git('rev-parse', '-q', '--verify', `${revision}^{commit}`).trim()
      } catch {
        expected = ''
      }
      const found = await call('GetCommit', { repository, revision }).then(
        (answer) => (answer as Messages['GetCommitResponse']).commit?.oid,
        (error: { code: string }) => {
          assert.ok(['not_found', 'invalid_argument'].includes(error.code), `${revision}: ${error.code}`)
          return ''
        }
      )
      assert.equal(found, expected, revision)
    }
  }
})

test('invalid ref names never reach the store', async () => {
  const odd = [
    '../HEAD',
    'refs/../config',
    'a\nb',
    'x'.repeat(70_000),
    '__proto__',
    'heads//main',
    '/main',
    '*',
    'refs'
  ]
  for (const revision of odd) {
    await assert.rejects(call('GetCommit', { repository, revision }), { code: 'not_found', reason: 'revision' })
  }
  await assert.rejects(call('GetCommit', { repository, revision: 'main\0' }), { code: 'invalid_argument' })
})
