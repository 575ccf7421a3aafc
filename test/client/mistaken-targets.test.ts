/** Mistakes about where downloads and checkouts go: the words that mend them, before anything is sent or written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atEnd, testServer } from '../support/server.ts'

/** Anything, as JavaScript passes it. */
// biome-ignore lint/suspicious/noExplicitAny: these are calls that TypeScript refuses
type Loose = any

test('wrong targets of downloads and checkouts are refused with what is right', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.client()
  await client.createRepository('demo')
  const repo: Loose = client.repository('demo')
  const download = (): Loose => repo.download('1'.repeat(40))
  const mistakes: readonly [call: () => Promise<unknown>, words: RegExp][] = [
    [() => download().toFile(), /^download at \S+: path: must be the path of a file, or a file: URL, not undefined$/],
    [() => download().toFile(''), /: path: must be the path of a file, or a file: URL, not ""$/],
    [() => download().toFile(7), /: path: must be the path of a file, or a file: URL, not 7$/],
    [
      () => download().toFile(new URL('https://example.org/a')),
      /: path: must be the path of a file, or a file: URL, not "https:\/\/example\.org\/a"$/
    ],
    [() => repo.checkout(), /^checkout at \S+: directory: is required$/],
    [
      () => repo.checkout('a', 'main'),
      /: must be an object with the keys revision, path, remove, onProgress, not "main"$/
    ],
    [() => repo.checkout('a', null), /: must be an object with the keys revision, path, remove, onProgress, not null$/],
    [() => repo.checkout({ revision: 'main' }, 'a'), /: directory: must be the path of a directory, not \{"revision"/]
  ]
  const { calls } = client.stats()
  for (const [call, message] of mistakes) await assert.rejects(call(), { code: 'invalid_argument', message })
  assert.equal(client.stats().calls, calls)
})
