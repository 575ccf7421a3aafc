/** Odd commits, as `git log` shows and orders them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyTreeOid } from '../../src/git/oid.ts'
import type { Commit, Repository, Signature } from '../../src/index.ts'
import { fieldsOf, judged } from './judge.ts'
import { oddCommits, oddHistory } from './odd-commits.ts'

const odd = oddCommits()
const history = oddHistory(5, 150)
const head = history.at(-1)?.oid ?? ''
const emptyTree = { oid: emptyTreeOid('sha1'), kind: 'tree', content: new Uint8Array(0) } as const

const placeholders = ['%H', '%T', '%P', '%e', '%an', '%ae', '%ad', '%cn', '%ce', '%cd', '%B']

/** A date as Git shows it where it has to show one. */
function dateOf(shown: string): string {
  const [seconds = '', zone = ''] = shown.split(' ')
  return shown === '' ? '0 0' : `${seconds} ${Number(zone)}`
}

const signatureOf = ({ name, email, timeSeconds, zone }: Signature) => [name, email, `${timeSeconds} ${Number(zone)}`]

function fieldsOfCommit({ oid, tree, parents, encoding, author, committer, message }: Commit): string[] {
  return [oid, tree, parents.join(' '), encoding, ...signatureOf(author), ...signatureOf(committer), message]
}

async function read(repo: Repository, oid: string): Promise<Commit> {
  return (await repo.getCommit(oid)).commit
}

test('odd commits', async (context) => {
  const refs = { 'refs/heads/main': head }
  const { repositories, git } = await judged(context, { objects: [emptyTree, ...odd, ...history], refs })
  const format = `--format=tformat:${placeholders.join('%x00')}`
  const args = ['log', '--no-walk=unsorted', '--stdin', '-z', '--date=raw', '--encoding=UTF-8', format]
  const shown = fieldsOf(git(args, odd.map(({ oid }) => `${oid}\n`).join('')))
  assert.equal(shown.length, odd.length * placeholders.length)
  const expected = odd.map((_, index) =>
    shown
      .slice(index * placeholders.length, (index + 1) * placeholders.length)
      .map((field) => Buffer.from(field, 'latin1').toString())
      .map((field, column) => (column === 6 || column === 9 ? dateOf(field) : field))
  )
  const order = git(['rev-list', head]).toString().trim().split('\n')
  for (const [store, repo] of repositories) {
    await context.test(`are read as Git reads them, ${store} store`, async () => {
      for (const [index, { oid }] of odd.entries()) {
        assert.deepEqual(
          fieldsOfCommit(await read(repo, oid)),
          expected[index],
          JSON.stringify(String(odd[index]?.content))
        )
      }
    })

    await context.test(`are ordered as Git orders them, ${store} store`, async () => {
      const found: string[] = []
      for await (const { oid } of repo.commits({ pageSize: 60 })) found.push(oid)
      assert.deepEqual(found, order)
    })
  }
})
