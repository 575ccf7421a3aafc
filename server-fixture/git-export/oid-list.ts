/** Oids and sizes of millions of objects, in a few bytes each. */
import { type ObjectFormat, oidLength } from '../../src/git/oid.ts'

const firstObjects = 1024

export class OidList {
  readonly #oidBytes: number
  #oids: Buffer
  #sizes = new Float64Array(firstObjects)
  length = 0

  constructor(format: ObjectFormat) {
    this.#oidBytes = oidLength(format) / 2
    this.#oids = Buffer.alloc(firstObjects * this.#oidBytes)
  }

  push(oid: string, size: number): void {
    if (this.length === this.#sizes.length) {
      this.#oids = Buffer.concat([this.#oids, Buffer.alloc(this.#oids.length)])
      const sizes = new Float64Array(2 * this.length)
      sizes.set(this.#sizes)
      this.#sizes = sizes
    }
    this.#oids.write(oid, this.length * this.#oidBytes, 'hex')
    this.#sizes[this.length++] = size
  }

  oid(index: number): string {
    return this.#oids.toString('hex', index * this.#oidBytes, (index + 1) * this.#oidBytes)
  }

  /** In bytes. */
  size(index: number): number {
    return this.#sizes[index] as number
  }
}
