/** The commands of a push: the refs that the client wants to move (gitprotocol-pack(5), "Reference Update Request"). */
import { BlobwireError } from '../../src/core/error.ts'
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

/** Of the commands of a push and its options, which git keeps in memory, all of them. */
const maxCommandBytes = 16 * 1024 * 1024

/**
 * Counts the commands at the beginning of a push while it passes. `git receive-pack` leaves out those that it has refused,
 * even where the client wants all or none.
 */
export class CommandCounter {
  readonly #lines = new PacketLines()
  /** After the commands. */
  #areOptions = false
  #isOver = false
  #bytes = 0
  count = 0

  /** Takes the next bytes of the request. @throws BlobwireError `resource_exhausted` */
  push(chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#lines.push(chunk)
    try {
      for (const line of this.#lines.read()) this.#take(line)
    } catch {
      // A pack follows, or git refuses it.
      this.#isOver = true
      return
    }
    this.#bytes += chunk.length
    if (this.#bytes > maxCommandBytes) throw tooManyCommands(this.#bytes)
  }

  #take(line: Buffer | undefined): void {
    if (line === undefined) this.#areOptions = true
    if (line === undefined || this.#areOptions) return
    const end = line.indexOf(0)
    if (readCommand(end < 0 ? line : line.subarray(0, end))) this.count++
  }
}

function tooManyCommands(actual: number): BlobwireError {
  const message = `the refs and options of the push exceed ${maxCommandBytes} bytes; push some of the refs at a time`
  const details = { limit: { limit: 'max_push_commands', maximum: maxCommandBytes, actual } }
  return new BlobwireError({ code: 'resource_exhausted', message, details })
}
