import type { ObjectKind } from './oid.ts'

/** Git's modes with six digits: file, executable, symbolic link, tree, submodule's commit. Source: git-ls-tree(1). */
const kinds: Readonly<Record<string, ObjectKind>> = {
  '100644': 'blob',
  '100755': 'blob',
  '120000': 'blob',
  '040000': 'tree',
  '160000': 'commit'
}

/** Whether a tree may be given this mode. */
export function isMode(text: string): boolean {
  return Object.hasOwn(kinds, text)
}

/** The kind of object behind a mode; old modes such as `100664` are files. */
export function kindOfMode(mode: string): ObjectKind {
  return kinds[mode] ?? 'blob'
}

/** The mode in words for an error: what is allowed. */
export const modeForms = `must be one of ${Object.keys(kinds).join(', ')}`
