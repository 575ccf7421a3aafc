/** The comparison of a copy with its source finds what is different. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSource } from '../../examples/mirror/source.ts'
import { verify } from '../../examples/mirror/verify.ts'
import { GitRepository } from '../support/git.ts'
import { longHistory } from '../support/history/long-history.ts'
import { writeHistory } from '../support/history/write-history.ts'
import { atEnd, testServer } from '../support/server.ts'

test('refs, HEAD, and findings of git fsck', async (context) => {
  const source = new GitRepository(context, 'sha1')
  const copy = new GitRepository(context, 'sha1')
  for (const git of [source, copy]) await writeHistory(git, longHistory({ commits: 3 }))
  const served = atEnd(context, await testServer())
  const repo = served.client().repository('copy')
  await repo.createRepository({ defaultBranch: 'other' })
  const { oid: blob } = await repo.storeBlob('not in the source\n')
  await repo.updateRefs([{ name: 'refs/tags/extra', expectedOid: null, newOid: blob }])
  copy.run(['update-ref', '-d', 'refs/heads/empty'])
  const broken = copy.store('tree', Buffer.concat([Buffer.from('100644 gone\0'), Buffer.alloc(20, 1)]))
  copy.run(['update-ref', 'refs/trees/broken', broken])
  const opened = await openSource(source.directory)
  const found = await verify({ source: opened, repo, leftOut: [], storeDirectory: copy.directory })
  const oidOf = (name: string) => source.run(['rev-parse', name]).trim()
  assert.ok(found.includes(`only in the source: ${oidOf('refs/heads/main')} refs/heads/main`))
  assert.ok(found.includes(`only on the server: ${blob} refs/tags/extra`))
  assert.ok(found.includes('HEAD is refs/heads/main in the source, and refs/heads/other on the server'))
  assert.ok(found.includes(`only in the source: ${oidOf('refs/heads/empty')} commit\trefs/heads/empty`))
  assert.ok(found.includes(`git fsck, only on the server: missing blob ${'01'.repeat(20)}`))
})
