/** Modes of tree entries. Source: git-ls-tree(1). */
import type { ObjectKind } from './oid.ts'

declare const oldMode: unique symbol

/** A mode that old history has and that Git no longer writes, such as `100664`. Only a server gives one. */
export type OldMode = string & { readonly [oldMode]: true }

/** Git's modes for an entry of a tree: file, executable, symbolic link, tree, submodule's commit. */
export type Mode = '100644' | '100755' | '120000' | '040000' | '160000' | OldMode

/** The kind of object of each mode. */
const kinds: Readonly<Record<string, ObjectKind>> = {
  '100644': 'blob',
  '100755': 'blob',
  '120000': 'blob',
  '040000': 'tree',
  '160000': 'commit'
}

/** Whether an entry of a new tree may have this mode. */
export function isMode(text: string): text is Mode {
  return Object.hasOwn(kinds, text)
}

/** The kind of object of a mode; old modes such as `100664` are files. */
export function kindOfMode(mode: string): ObjectKind {
  return kinds[mode] ?? 'blob'
}

/** The allowed modes, for an error message. */
export const modeForms = `must be one of ${Object.keys(kinds).join(', ')}`
