/** Parsed tree objects: an index over the object's bytes, without an object for each entry. */
import { BlobwireError } from '../../src/core/error.ts'
import { type Mode, modeOfText } from '../../src/git/mode.ts'
import { type ObjectFormat, oidLength } from '../../src/git/oid.ts'
import { modesOf, type TreeItem } from '../../src/git/tree.ts'

const space = 0x20
const slash = 0x2f
const zero = 0x30
const seven = 0x37
/** Git's `S_IFMT` and `S_IFDIR`. */
const typeBits = 0o170000
const treeType = 0o040000

function damaged(): BlobwireError {
  return new BlobwireError({ reason: 'integrity', message: 'the tree is damaged: its bytes are not a tree object' })
}

/**
 * A tree object and where its entries begin: four bytes for each entry besides the content. Names are found by binary
 * search. Source of the order: git-mktree(1) and Git's `base_name_compare`; a directory sorts as if its name ended in "/".
 */
export class ParsedTree {
  readonly length: number
  readonly #content: Buffer
  readonly #oidBytes: number
  readonly #starts: Uint32Array
  /** False for trees that Git would not write: entries out of order, or one twice. */
  readonly #isInOrder: boolean
  #ordered: ParsedTree | undefined

  /** @throws BlobwireError `data_loss`, reason `integrity`, for malformed bytes */
  constructor(content: Uint8Array, format: ObjectFormat) {
    this.#content = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    this.#oidBytes = oidLength(format) / 2
    this.#starts = startsOf(this.#content, this.#oidBytes)
    this.length = this.#starts.length - 1
    let isInOrder = true
    for (let index = 1; isInOrder && index < this.length; index++) isInOrder = this.compare(index - 1, this, index) < 0
    this.#isInOrder = isInOrder
  }

  /** Memory that the tree takes. */
  get bytes(): number {
    return this.#content.length + this.#starts.byteLength + 200
  }

  /** The entry at an index, in the object's order. */
  item(index: number): TreeItem {
    const content = this.#content
    const nameAt = this.#nameAt(index)
    const oidAt = this.#oidAt(index)
    const name = content.subarray(nameAt, oidAt - 1)
    const oid = content.toString('hex', oidAt, oidAt + this.#oidBytes)
    const text = content.toString('latin1', this.#starts[index], nameAt - 1)
    const mode = modeOfText(text)
    return mode === undefined ? { name, ...modesOf(text), oid } : { name, mode, oid }
  }

  items(): TreeItem[] {
    return Array.from({ length: this.length }, (_, index) => this.item(index))
  }

  isTree(index: number): boolean {
    return (this.#modeBits(index) & typeBits) === treeType
  }

  /** The entry with this name; of several, the first. */
  find(name: Uint8Array): TreeItem | undefined {
    const index = this.#isInOrder ? (this.#search(name, 0) ?? this.#search(name, slash)) : this.#firstOf(name)
    return index === undefined ? undefined : this.item(index)
  }

  /** The tree with its entries in Git's order, each once. */
  inOrder(): ParsedTree {
    if (this.#isInOrder) return this
    if (this.#ordered === undefined) {
      const indexes = Array.from({ length: this.length }, (_, index) => index)
      indexes.sort((left, right) => this.compare(left, this, right) || left - right)
      const once = indexes.filter((index, at) => at === 0 || this.compare(indexes[at - 1] as number, this, index) !== 0)
      const pieces = once.map((index) => this.#content.subarray(this.#starts[index], this.#starts[index + 1]))
      this.#ordered = new ParsedTree(Buffer.concat(pieces), this.#oidBytes === 20 ? 'sha1' : 'sha256')
    }
    return this.#ordered
  }

  /** Which entry comes first; 0 = both have the same name, and both or neither are directories. */
  compare(index: number, other: ParsedTree, otherIndex: number): number {
    const end = other.#oidAt(otherIndex) - 1
    const otherAfter = other.isTree(otherIndex) ? slash : 0
    return this.#compareTo(index, { bytes: other.#content, at: other.#nameAt(otherIndex), end, after: otherAfter })
  }

  /** Whether the entries have the same mode, as Git reads it, and the same oid. */
  hasSameContent(index: number, other: ParsedTree, otherIndex: number): boolean {
    const at = this.#oidAt(index)
    const otherAt = other.#oidAt(otherIndex)
    const otherEnd = otherAt + this.#oidBytes
    if (this.#content.compare(other.#content, otherAt, otherEnd, at, at + this.#oidBytes) !== 0) return false
    return this.#modeBits(index) === other.#modeBits(otherIndex) || this.#mode(index) === other.#mode(otherIndex)
  }

  #mode(index: number): Mode {
    return modesOf(this.#modeText(index)).mode
  }

  #modeText(index: number): string {
    return this.#content.toString('latin1', this.#starts[index], this.#nameAt(index) - 1)
  }

  /** The mode as a number; of long texts the lowest bits. */
  #modeBits(index: number): number {
    const content = this.#content
    let bits = 0
    let at = this.#starts[index] as number
    for (let byte = content[at] as number; byte !== space; byte = content[++at] as number)
      bits = (bits << 3) | (byte & 7)
    return bits
  }

  #nameAt(index: number): number {
    const content = this.#content
    let at = this.#starts[index] as number
    while (content[at] !== space) at++
    return at + 1
  }

  #oidAt(index: number): number {
    return (this.#starts[index + 1] as number) - this.#oidBytes
  }

  /** `after` is the byte that a name ends in for the order. */
  #compareTo(index: number, { bytes, at, end, after }: { bytes: Uint8Array; at: number; end: number; after: number }) {
    const content = this.#content
    const nameAt = this.#nameAt(index)
    const length = this.#oidAt(index) - 1 - nameAt
    const otherLength = end - at
    const common = Math.min(length, otherLength)
    for (let offset = 0; offset < common; offset++) {
      const difference = (content[nameAt + offset] as number) - (bytes[at + offset] as number)
      if (difference !== 0) return difference
    }
    const own = length > common ? (content[nameAt + common] as number) : this.isTree(index) ? slash : 0
    const others = otherLength > common ? (bytes[at + common] as number) : after
    if (own !== others || length === otherLength) return own - others
    return length - otherLength
  }

  #firstOf(name: Uint8Array): number | undefined {
    for (let index = 0; index < this.length; index++) {
      const at = this.#nameAt(index)
      const end = this.#oidAt(index) - 1
      if (end - at === name.length && this.#content.compare(name, 0, name.length, at, end) === 0) return index
    }
    return undefined
  }

  #search(name: Uint8Array, after: number): number | undefined {
    const wanted = { bytes: name, at: 0, end: name.length, after }
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >> 1
      const order = this.#compareTo(middle, wanted)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }
}

/** The tree without entries. */
export const emptyTrees: Readonly<Record<ObjectFormat, ParsedTree>> = {
  sha1: new ParsedTree(new Uint8Array(0), 'sha1'),
  sha256: new ParsedTree(new Uint8Array(0), 'sha256')
}

/** Where each entry begins, and where the last one ends. */
function startsOf(content: Buffer, oidBytes: number): Uint32Array {
  const starts: number[] = []
  let at = 0
  while (at < content.length) {
    starts.push(at)
    let mode = at
    for (let byte = content[mode]; byte !== undefined && byte >= zero && byte <= seven; ) byte = content[++mode]
    if (mode === at || content[mode] !== space) throw damaged()
    const nameEnd = content.indexOf(0, mode + 1)
    at = nameEnd + 1 + oidBytes
    if (nameEnd <= mode + 1 || at > content.length) throw damaged()
  }
  starts.push(at)
  return Uint32Array.from(starts)
}
