/** A list of oids that takes little memory: 20 or 32 bytes for each, where a string takes 60. */
import type { ObjectFormat } from '../../src/index.ts'

export class OidList {
  readonly #size: number
  #bytes: Buffer
  #length = 0

  constructor(format: ObjectFormat) {
    this.#size = format === 'sha1' ? 20 : 32
    this.#bytes = Buffer.alloc(this.#size * 64)
  }

  get length(): number {
    return this.#length
  }

  push(oid: string): void {
    const at = this.#length++ * this.#size
    if (at === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(at)])
    this.#bytes.write(oid, at, this.#size, 'hex')
  }

  at(index: number): string {
    return this.#bytes.toString('hex', index * this.#size, (index + 1) * this.#size)
  }

  *[Symbol.iterator](): Generator<string, void> {
    for (let index = 0; index < this.#length; index++) yield this.at(index)
  }
}
