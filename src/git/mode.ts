/** Modes of tree entries. Source: git-ls-tree(1). */
import type { ObjectKind } from './oid.ts'

declare const oldMode: unique symbol

/** A mode such as `100664`, which exists in old history and which Git no longer writes. Only a server returns one. */
export type OldMode = string & { readonly [oldMode]: true }

/** Git's modes of a tree's entry: file, executable, symbolic link, directory, commit of a submodule. */
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
