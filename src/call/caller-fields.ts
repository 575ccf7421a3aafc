/** Fields that servers name, in the caller's own words: the caller gives changes by path, the request lists them. */
import type { BlobwireError } from '../core/error.ts'
import { binaryPath, type PathFields, showPath } from '../git/raw-path.ts'

interface ListedChange extends PathFields {
  /** Only of a guard without a change. */
  readonly guard?: unknown
}

const listed = { changes: /^changes\[(\d+)\](.*)$/, entries: /^entries\[(\d+)\](.*)$/ }

function callersField(changes: readonly ListedChange[], form: RegExp, field: string): string {
  const [, index, rest = ''] = form.exec(field) ?? []
  const change = changes[Number(index)]
  if (change === undefined) return field
  const step = rest.replace(/^\.guarded/, '').replace(/^\.(path|rawPath|guard)$/, '')
  return `${change.guard === undefined ? 'changes' : 'guards'}[${showPath(binaryPath(change))}]${step}`
}

/** Requests have bytes beside texts, `rawPath` beside `path`; callers have one name for both. */
const raw = /\braw([A-Z])/
const withoutRaw = (field: string) => field.replace(raw, (_, first: string) => first.toLowerCase())

/**
 * The error of a request with the fields as the caller of the method knows them. `list` is the name of the changes in the
 * request: where they are many, the entries of a tree.
 */
export function inCallersWords(
  error: BlobwireError,
  request: object,
  list: keyof typeof listed = 'changes'
): BlobwireError {
  const found = error.details.violations?.some(({ field }) => raw.test(field)) ? error.renamed(withoutRaw) : error
  const { changes } = request as { readonly changes?: readonly ListedChange[] }
  const form = listed[list]
  const isAboutChanges = found.details.violations?.some(({ field }) => form.test(field))
  if (!isAboutChanges || !Array.isArray(changes)) return found
  return found.renamed((field) => callersField(changes, form, field))
}

/** The error of one operation, named as the caller of the batch knows it. */
export function inOperation(error: BlobwireError, index: number, name: string): BlobwireError {
  const step = `operations[${index}].${name}`
  const { violations } = error.details
  if (violations === undefined) return error.with({ message: `${step}: ${error.message}` })
  return error.renamed((field) => (field === '' || field === name ? step : `${step}.${field}`))
}
