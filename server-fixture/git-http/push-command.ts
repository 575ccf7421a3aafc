/** The commands of a push: the refs that the client wants to move (gitprotocol-pack(5), "Reference Update Request"). */
import { isOid, isZeroOid } from '../../src/git/oid.ts'
import { textOfName } from '../store/ref-bytes.ts'
import type { RefMove } from '../store/store.ts'
import { PacketLines } from './packet-lines.ts'

/** `<old oid> <new oid> <ref>`; undefined = the line is no command. */
export function readCommand(line: Buffer): RefMove | undefined {
  const text = textOfName(line)
  const [, expectedOid = '', newOid = '', name = ''] = /^([0-9a-f]+) ([0-9a-f]+) (.+?)\n?$/s.exec(text) ?? []
  return isOid(expectedOid) && isOid(newOid) ? { expectedOid, newOid, name } : undefined
}

/** Whether a command moves its ref to an object, and does not delete it. */
export const keepsRef = ({ newOid }: RefMove): boolean => !isZeroOid(newOid)

/**
 * Counts the commands at the beginning of a push while it passes. `git receive-pack` leaves out those that it has refused,
 * even where the client wants all or none.
 */
export class CommandCounter {
  readonly #lines = new PacketLines()
  #isOver = false
  count = 0

  /** Takes the next bytes of the request. */
  push(chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#lines.push(chunk)
    try {
      for (const line of this.#lines.read()) {
        if (line === undefined) {
          this.#isOver = true
          // The pack follows, which has no lines.
          return
        }
        const end = line.indexOf(0)
        if (readCommand(end < 0 ? line : line.subarray(0, end))) this.count++
      }
    } catch {
      // Git refuses it.
      this.#isOver = true
    }
  }
}
