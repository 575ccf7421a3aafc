/** Modes of tree entries. Sources: git-ls-tree(1), and Git's `canon_mode` for the modes of old history. */
import type { ObjectKind } from './oid.ts'

/** Git's modes of a tree's entry: file, executable, symbolic link, directory, commit of a submodule. */
export type Mode = '100644' | '100755' | '120000' | '040000' | '160000'

/** The kind of object of each mode. */
const kinds: Readonly<Record<string, ObjectKind>> = {
  '100644': 'blob',
  '100755': 'blob',
  '120000': 'blob',
  '040000': 'tree',
  '160000': 'commit'
}

/** The modes as Git writes them into a tree. */
const written: ReadonlyMap<string, Mode> = new Map(
  (Object.keys(kinds) as Mode[]).map((mode) => [textOfMode(mode), mode] as const)
)

/** Whether an entry of a new tree may have this mode. */
export function isMode(text: string): text is Mode {
  return Object.hasOwn(kinds, text)
}

/** The kind of object of a mode. */
export function kindOfMode(mode: string): ObjectKind {
  return kinds[mode] ?? 'blob'
}

/** The text of a mode in a tree: Git writes no leading zero. */
export function textOfMode(mode: string): string {
  return mode === '040000' ? '40000' : mode
}

/** The mode of a text that Git writes; undefined for the texts of other writers, such as `100664` and `040000`. */
export function modeOfText(text: string): Mode | undefined {
  return written.get(text)
}

/** The mode that Git reads any octal text as: by its type, and whether the owner may execute a file. */
export function canonicalMode(text: string): Mode {
  // The bits of Git's `S_IFMT` and below; longer texts overflow.
  const bits = Number.parseInt(text.slice(-6), 8) & 0o177777
  const type = bits & 0o170000
  if (type === 0o100000) return (bits & 0o100) === 0 ? '100644' : '100755'
  if (type === 0o120000) return '120000'
  return type === 0o040000 ? '040000' : '160000'
}

const modeForms = `must be one of ${Object.keys(kinds).join(', ')}`

/** The rule that a text violates which is no mode, and the mode that may be meant. */
export function modeRule(text: unknown): string {
  const permissions = /^(?:0o?)?([0-7]{3})$/.exec(
    typeof text === 'number' ? text.toString(8).slice(-3) : String(text)
  )?.[1]
  if (permissions === undefined) return modeForms
  return `${modeForms}; did you mean "${(Number.parseInt(permissions, 8) & 0o100) === 0 ? '100644' : '100755'}"?`
}
