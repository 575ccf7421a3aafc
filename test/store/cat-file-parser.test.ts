import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CatFileAnswer, CatFileParser } from '../../server-fixture/store/git/cat-file-parser.ts'
import { startCpuClock } from '../support/until.ts'

const oid = 'a'.repeat(40)

function parse(text: string, chunkBytes: number, expectContent: readonly boolean[]): CatFileAnswer[] {
  const answers: CatFileAnswer[] = []
  const parser = new CatFileParser(
    () => expectContent[answers.length] ?? false,
    (answer) => answers.push(answer)
  )
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += chunkBytes) parser.push(bytes.subarray(at, at + chunkBytes))
  return answers
}

test('answers are the same however they are cut into chunks', () => {
  const text = `${oid} blob 0\n\n${oid} missing\n${oid} tree 7\n${oid} blob 5\na\nb\n\0\n${oid} commit 3\nxyz\n`
  const content = (bytes: string) => new TextEncoder().encode(bytes)
  const expected = [
    { kind: 'blob', size: 0, content: content('') },
    undefined,
    { kind: 'tree', size: 7, content: undefined },
    { kind: 'blob', size: 5, content: content('a\nb\n\0') },
    { kind: 'commit', size: 3, content: content('xyz') }
  ]
  for (let chunkBytes = 1; chunkBytes <= text.length; chunkBytes++) {
    assert.deepEqual(parse(text, chunkBytes, [true, true, false, true, true]), expected, `${chunkBytes} at a time`)
  }
})

test('a content of 16 MiB in small chunks takes linear time', () => {
  const size = 16 * 1024 * 1024
  const cpuMs = startCpuClock()
  const [answer] = parse(`${oid} blob ${size}\n${'x'.repeat(size)}\n`, 1024, [true])
  assert.equal(answer?.content?.length, size)
  assert.ok(cpuMs() < 2000)
})

test('bytes that git cannot have sent are refused', () => {
  for (const text of [`${oid} ambiguous\n`, `${oid} blob 1\nab`, 'x'.repeat(2000)]) {
    assert.throws(() => parse(text, 64, [true]), /git cat-file/)
  }
})
