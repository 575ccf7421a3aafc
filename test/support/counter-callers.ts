/**
 * Callers that count in a file, all with one name, one date and one message: two that write the same number on the same
 * head make the same commit.
 */
import { encodeCommit } from '../../src/git/commit.ts'
import { hashObject } from '../../src/git/oid.ts'
import { buildTrees } from '../../src/git/tree-builder.ts'
import type { BlobwireError, Repository } from '../../src/index.ts'
import { move, type Parts, read } from './contenders.ts'

const branch = 'counter'
const author = { name: 'One', email: 'one@example.org', timeSeconds: 1_700_000_000, zone: '+0000' }
const message = 'one more'
const most = 10_000

const blobOf = (number: number) => hashObject('blob', Buffer.from(String(number)), 'sha1')

/** The counter, whose commits are known before they are made. */
export class Counter {
  /** By number. */
  readonly #commits: string[] = []
  readonly #numbers = new Map<string, number>()

  /** Makes the branch, at 0. */
  async begin(repository: Repository): Promise<void> {
    const { oid } = await repository.commitFiles({ branch, changes: { counter: '0' }, author, message })
    if (oid !== this.commit(0)) throw new Error(`the first commit is ${oid}, not ${this.commit(0)}`)
  }

  commit(number: number): string {
    for (let next = this.#commits.length; next <= number; next++) {
      const tree = buildTrees([{ path: 'counter', mode: '100644', oid: blobOf(next) }], 'sha1').oid
      const parents = next === 0 ? [] : [this.#commits[next - 1] as string]
      const oid = hashObject('commit', encodeCommit({ tree, parents, author, committer: author, message }), 'sha1')
      this.#commits.push(oid)
      this.#numbers.set(oid, next)
      this.#numbers.set(blobOf(next), next)
    }
    return this.#commits[number] as string
  }

  /** The number of a commit or content, as a refusal names it. */
  find({ details }: BlobwireError): string | undefined {
    const oid = details.refMismatches?.[0]?.foundOid ?? details.pathMismatches?.[0]?.foundOid
    if (oid === undefined) return undefined
    for (let next = this.#commits.length; !this.#numbers.has(oid) && next < most; next++) this.commit(next)
    return this.#numbers.get(oid)?.toString()
  }
}

/** Reads the counter and writes one more, by the head or by a guard of the file, over and over. */
export async function count(parts: Parts, counter: Counter): Promise<void> {
  const { name, record, random, repository } = parts
  for (let turn = 0; !record.stopped; turn++) {
    const found = await read(parts, async () => {
      const { content } = await repository.getBlob({ revision: branch, path: 'counter' })
      return Buffer.from(content).toString()
    })
    if (found === undefined) return
    const number = Number(found)
    const next = String(number + 1)
    const isGuarded = random(2) === 0
    const change = isGuarded ? { content: next, expectedOid: blobOf(number) } : next
    const commit = { branch, changes: { counter: change }, author, message }
    const input = isGuarded ? commit : { ...commit, expectedHead: counter.commit(number) }
    await move(parts, {
      kind: 'commit',
      expected: found,
      value: next,
      key: `${name.replaceAll(' ', '-')}-${turn}`,
      ask: async (asked, options) => {
        const { oid } = await asked.commitFiles(input, options)
        if (oid !== counter.commit(number + 1)) throw new Error(`${next} is ${oid}, not ${counter.commit(number + 1)}`)
      },
      found: (error) => counter.find(error)
    })
  }
}
