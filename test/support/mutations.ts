/** Bytes with a few of them removed, and pieces put in that matter to Git's parsers. */
import { randomNumbers } from './random.ts'

const pieces = [
  ...[' ', '\n', '\0', '\t', '\r', '\v', '\f', '\xa0', '<', '>', '0', '9', '+', '-', '.', '/', '\\', '"', '~', 'a'],
  ...['[', ']', '=', '#', ';', '!', '%0a', '..', '.lock', '@{', '\xe2\x80\x8c', '\n\n'],
  ...['parent ', 'tree ', 'author ', 'committer ', 'tagger ']
].map((text) => Buffer.from(text, 'latin1'))

/** A function that changes bytes in one to three places; the same for the same seed. */
export function mutations(seed: number): (bytes: Buffer) => Buffer {
  const random = randomNumbers(seed)
  return (bytes) => {
    let changed = bytes
    for (let count = random(3); count >= 0; count--) {
      const at = random(changed.length + 1)
      const removed = random(3) === 0 ? random(10) : random(2)
      const piece = random(2) === 0 ? Buffer.alloc(0) : (pieces[random(pieces.length)] as Buffer)
      changed = Buffer.concat([changed.subarray(0, at), piece, changed.subarray(at + removed)])
    }
    return changed
  }
}
