/** Calls that wait for a connection, all together bounded in number and bytes. */
import type { Statement } from './database.ts'

/** Bounds of the calls of a database that wait. */
export interface HeldBounds {
  readonly calls: number
  readonly bytes: number
}

/** Counts the calls that are held. Those of a program without other work, such as an export, keep its process running. */
export class HeldCalls {
  readonly #bounds: HeldBounds
  calls = 0
  bytes = 0
  #processHold: NodeJS.Timeout | undefined

  constructor(bounds: HeldBounds) {
    this.#bounds = bounds
  }

  /** @returns false = there is no room */
  tryHold(bytes: number): boolean {
    if (this.calls >= this.#bounds.calls || this.bytes + bytes > this.#bounds.bytes) return false
    if (this.calls++ === 0) this.#processHold = setInterval(() => undefined, 2 ** 30)
    this.bytes += bytes
    return true
  }

  release(bytes: number): void {
    if (--this.calls === 0) clearInterval(this.#processHold)
    this.bytes -= bytes
  }
}

function bytesOfValue(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (typeof value === 'string') return value.length
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + bytesOfValue(item), 0)
  return 8
}

/** About as many bytes as the values of statements hold. */
export function bytesOf(statements: readonly Statement[]): number {
  return statements.reduce((sum, { values }) => sum + bytesOfValue(values), 0)
}
