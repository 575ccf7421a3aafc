/** What `git fsck --strict` reports about a tree. Source: Git's "fsck-msgids", `fsck_tree`. */
import type { Messages } from '../../../src/schema/messages.ts'

/** The problems of a tree's bytes. */
export function treeProblems(content: Uint8Array): Messages['ObjectWarning'][] {
  const isPadded = content[0] === 0x30
  return isPadded ? [{ id: 'zeroPaddedFilemode', message: 'contains zero-padded file modes' }] : []
}
