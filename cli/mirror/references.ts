/** The objects that an object refers to. Source: Git's "Git Objects", and git-mktag(1). */
import type { SourceObject } from './object-reader.ts'

/** Types of files, links and directories. To Git every other mode is a submodule, whose commit is in another repository. */
const types = new Set([0o100000, 0o120000, 0o040000])

/** A tree's entries without its submodules. */
function ofTree(content: Buffer, oidBytes: number): string[] {
  const oids: string[] = []
  for (let at = 0; at < content.length; ) {
    const end = content.indexOf(0, at) + 1
    const mode = Number.parseInt(content.toString('latin1', at, content.indexOf(0x20, at)), 8)
    if (types.has(mode & 0o170000)) oids.push(content.toString('hex', end, end + oidBytes))
    at = end + oidBytes
  }
  return oids
}

/** Oids of the objects that must be there before this one. */
export function referencesOf({ kind, content, oid }: SourceObject): string[] {
  if (kind === 'blob') return []
  if (kind === 'tree') return ofTree(content, oid.length / 2)
  // Git wants these lines first, so that the search ends at the first other one.
  const form = kind === 'commit' ? /(?:tree|parent) ([0-9a-f]+)\n/gy : /object ([0-9a-f]+)\n/gy
  return Array.from(content.toString('latin1').matchAll(form), ([, found]) => found as string)
}
