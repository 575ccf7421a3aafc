/** Makes the commits and tags of a history: mostly ordinary ones, and now and then an odd one. */
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { Directory } from './directory.ts'
import { ObjectPool } from './objects.ts'
import { oddAuthors, oddHeaders, oddMessages, plausibleSignature, signatureHeader } from './odd-lines.ts'

/** Makes a signature of the bytes of a commit or tag, in the form of OpenPGP or SSH. */
export type Sign = (payload: Uint8Array) => string

/** The branch, or the parents, of a new commit. */
export interface State {
  /** Oid of the commit; undefined = there is none yet. */
  readonly commit: string | undefined
  readonly tree: Directory
}

const people = ['Ada Lovelace <ada@example.org>', 'Linus <linus@example.com>', 'Zo\xc3\xab <zoe@example.org>']
const zones = ['+0000', '+0100', '-0700', '+0530']

/** Which commits are signed: four of ten. */
const isSigned = (index: number) => index % 5 === 1 || index % 5 === 3

export class HistoryWriter {
  readonly pool: ObjectPool
  readonly #sign: Sign
  readonly #oddEvery: number
  #odd = 0
  /** Commits made so far. */
  count = 0

  /** @param oddEvery one commit of so many is odd */
  constructor(format: ObjectFormat, { sign = plausibleSignature, oddEvery = 11 }: { sign?: Sign; oddEvery?: number }) {
    this.pool = new ObjectPool(format)
    this.#sign = sign
    this.#oddEvery = oddEvery
  }

  /** A commit of the tree on top of the parents. */
  commit(tree: Directory, parents: readonly (string | undefined)[], message = `Change ${this.count}\n`): State {
    const index = this.count++
    const isOdd = index % this.#oddEvery === 2
    const odd = isOdd ? this.#odd++ : 0
    const usual = this.#person(index)
    const lines = [
      `tree ${tree.oid}\n`,
      ...parents.filter((oid) => oid !== undefined).map((oid) => `parent ${oid}\n`),
      `author ${isOdd ? pick(oddAuthors, odd) : usual}\n`,
      // Every other odd author commits too.
      `committer ${isOdd && odd % 2 === 1 ? pick(oddAuthors, odd) : usual}\n`,
      isOdd && odd % 3 === 0 ? pick(oddHeaders, odd / 3) : ''
    ]
    const text = isOdd && odd % 2 === 0 ? pick(oddMessages, odd / 2) : message
    const head = lines.join('')
    const payload = Buffer.from(`${head}\n${text}`, 'latin1')
    if (!isSigned(index)) return { commit: this.pool.add('commit', payload), tree }
    const header = signatureHeader(this.pool.format === 'sha1' ? 'gpgsig' : 'gpgsig-sha256', this.#sign(payload))
    return { commit: this.pool.add('commit', Buffer.from(`${head}${header}\n${text}`, 'latin1')), tree }
  }

  /** A tag object; signed, and without a tagger, where that is asked for. */
  tag(
    name: string,
    target: { readonly oid: string; readonly kind: string },
    { signed = false, tagger = this.#person(this.count) }: { signed?: boolean; tagger?: string | undefined } = {}
  ): string {
    const head = `object ${target.oid}\ntype ${target.kind}\ntag ${name}\n`
    const by = tagger === '' ? '' : `tagger ${tagger}\n`
    const payload = Buffer.from(`${head}${by}\nRelease ${name}\n`, 'latin1')
    return this.pool.add('tag', signed ? Buffer.concat([payload, Buffer.from(this.#sign(payload))]) : payload)
  }

  #person(index: number): string {
    // One in seven was committed on a computer whose clock was late.
    const seconds = 1_100_000_000 + index * 600 - (index % 7 === 6 ? 7200 : 0)
    return `${pick(people, index)} ${seconds} ${pick(zones, index)}`
  }
}

function pick<Item>(items: readonly Item[], index: number): Item {
  return items[Math.floor(index) % items.length] as Item
}
