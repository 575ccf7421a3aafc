/** Checks values against the table of options, and fills in defaults. All problems are collected. */
import { expectedKeys, numberProblem, show } from '../core/check-options.ts'
import { BlobwireError, type FieldViolation } from '../core/error.ts'
import { headersOf } from '../core/headers.ts'
import { nearestName } from '../core/nearest-name.ts'
import { pemProblem } from './pem.ts'
import type {
  BooleanRow,
  ChoiceRow,
  CodeRow,
  GroupRow,
  NumberRow,
  OptionRow,
  OwnKind,
  PemRow,
  Rows,
  TextRow
} from './row.ts'

/** A check of an option that has its own: the resolved value. */
export type OwnCheck = (value: unknown, path: string, check: Check) => unknown

/** One run of checks. */
export interface Check {
  readonly problems: FieldViolation[]
  /** Of numbers that may be given as `30s` or `10MiB`. */
  readonly quantity?: (value: unknown, path: string, given: { row: NumberRow; check: Check }) => unknown
  /** Options of one source among several: only those that are given, without defaults. */
  readonly partial?: boolean
  /** Paths of the options that misspelled names probably stand for. */
  readonly meant?: Set<string>
  readonly own?: Readonly<Record<OwnKind, OwnCheck>>
}

const at = (path: string, key: string) => (path === '' ? key : `${path}.${key}`)

/** An object of options with every default in place. Problems go into `check`. */
export function checkRows(path: string, given: unknown, rows: Rows, check: Check): Record<string, unknown> {
  const problem = objectProblem(given)
  if (problem !== undefined) check.problems.push({ field: path || 'options', description: problem })
  const options = (problem === undefined ? (given ?? {}) : {}) as Readonly<Record<string, unknown>>
  const meant = unknownKeys(path, options, { rows, check })
  const resolved: Record<string, unknown> = {}
  for (const [key, row] of Object.entries(rows)) {
    if (check.partial && options[key] === undefined) continue
    // Of a name that is misspelled, it is enough to say so.
    if (options[key] === undefined && row.required && meant.has(key)) continue
    resolved[key] = checkRow(at(path, key), options[key], row, check)
  }
  return resolved
}

/** @throws BlobwireError `invalid_argument` that has all problems, where there are any */
export function throwProblems(problems: readonly FieldViolation[]): void {
  if (problems.length === 0) return
  const message = problems.map(({ field, description }) => `${field}: ${description}`).join('\n')
  throw new BlobwireError({ code: 'invalid_argument', message, details: { violations: [...problems] } })
}

function objectProblem(given: unknown): string | undefined {
  if (given === undefined || (typeof given === 'object' && given !== null && !Array.isArray(given))) return undefined
  return `must be an object of options, not ${show(given)}`
}

/** Tells of unknown keys. The names that they probably stand for are returned. */
function unknownKeys(
  path: string,
  options: object,
  { rows, refused = {}, check }: { rows: Rows; refused?: GroupRow['refused']; check: Check }
): Set<string> {
  const allowed = Object.keys(rows)
  const meant = new Set<string>()
  for (const key in options) {
    if (Object.hasOwn(rows, key) || (refused !== undefined && Object.hasOwn(refused, key))) continue
    const expected = expectedKeys(key, allowed)
    check.problems.push({ field: at(path, key), description: `unknown option; ${expected}` })
    const name = /^did you mean (\w+)/.exec(expected)?.[1] ?? ''
    meant.add(name)
    check.meant?.add(at(path, name))
  }
  return meant
}

function checkRow(path: string, given: unknown, row: OptionRow, check: Check): unknown {
  // In code, null is the default, too.
  const value = given === null && !check.partial && hasDefault(row) ? undefined : given
  if (row.kind === 'group') return checkGroup(path, value, row, check)
  if (row.kind === 'endpoint' || row.kind === 'token') return check.own?.[row.kind](value, path, check)
  if (row.kind === 'headers') return checkHeaderRow(path, value, check)
  if (value === undefined && !row.required) return row.kind === 'code' ? (row.list ? [] : undefined) : defaultOf(row)
  if (row.kind === 'code') return checkCode(path, value, row, check)
  if (row.kind === 'number' && row.unit !== undefined && check.quantity)
    return check.quantity(value, path, { row, check })
  const description = valueProblem(value, row as ValueRow)
  // A configuration has an option for the path.
  const inConfig =
    row.kind === 'pem' && check.partial ? `; a path is given as ${path.split('.').at(-1)}File` : undefined
  if (description !== undefined)
    check.problems.push({
      field: path,
      description: inConfig ? description.replace(/, not its path;.*/, inConfig) : description
    })
  return value
}

const hasDefault = (row: OptionRow) =>
  row.kind === 'headers' ||
  (row.kind === 'code' && row.list === true) ||
  ('default' in row && row.default !== undefined)

/** The default of an option that is a value. */
function defaultOf(row: OptionRow): unknown {
  return 'default' in row ? row.default : undefined
}

type ValueRow = NumberRow | BooleanRow | ChoiceRow | TextRow | PemRow

/** Why the row does not allow the value. */
export function valueProblem(value: unknown, row: ValueRow): string | undefined {
  switch (row.kind) {
    case 'number':
      return row.instead?.includes(value as string) ? undefined : rowNumberProblem(value, row)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `must be true or false, not ${show(value)}`
    case 'choice':
      if (row.values.includes(value as string)) return undefined
      return `must be one of ${row.values.join(', ')}, not ${show(value)}${meantWord(value, row.values)}`
    case 'text': {
      const isAllowed = typeof value === 'string' && new RegExp(row.pattern).test(value)
      if (isAllowed && (row.isValid?.(value) ?? true)) return undefined
      return `must be ${row.must}${row.secret ? '' : `, not ${show(value)}`}`
    }
    case 'pem':
      return (row.list && Array.isArray(value) ? value : [value])
        .map((pem) => pemProblem(pem, row.secret))
        .find((problem) => problem !== undefined)
  }
}

function meantWord(value: unknown, words: readonly string[]): string {
  const nearest = typeof value === 'string' ? nearestName(value, words) : undefined
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}

function rowNumberProblem(value: unknown, row: NumberRow): string | undefined {
  const problem = numberProblem(value, row)
  if (problem === undefined || row.instead === undefined) return problem
  return problem.replace(/^must be /, `must be ${row.instead.map((word) => `'${word}'`).join(', ')} or `)
}

export function checkGroup(path: string, given: unknown, row: GroupRow, check: Check): unknown {
  if (given === undefined && row.optional) return undefined
  if (row.instead?.includes(given as string)) return given
  const before = check.problems.length
  for (const [key, description] of Object.entries(row.refused ?? {})) {
    if (given instanceof Object && key in given) check.problems.push({ field: at(path, key), description })
  }
  const own = (given ?? {}) as Readonly<Record<string, unknown>>
  if (row.together?.some((key) => own[key] !== undefined) && row.together.some((key) => own[key] === undefined))
    check.problems.push({ field: path, description: `${row.together.join(' and ')} must be given together` })
  const rest = check.problems.length === before ? given : without(own, row.refused)
  return checkRows(path, rest, row.rows, check)
}

const without = (options: object, keys: object = {}) =>
  Object.fromEntries(Object.entries(options).filter(([key]) => !Object.hasOwn(keys, key)))

/** Headers by lower-case name. */
function checkHeaderRow(path: string, value: unknown, check: Check): Readonly<Record<string, string>> {
  try {
    const list = headersOf((value === undefined ? {} : value) as Readonly<Record<string, string>>)
    return Object.fromEntries(list.map((header) => [header.name, header.value]))
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    const violations = error.details.violations ?? []
    check.problems.push(...violations.map(({ field, ...rest }) => ({ field: field.replace('headers', path), ...rest })))
    return {}
  }
}

function checkCode(path: string, value: unknown, row: CodeRow, check: Check): unknown {
  if (!row.list) {
    if (!isCode(value, row)) check.problems.push({ field: path, description: codeProblem(value, row) })
    return value
  }
  if (!Array.isArray(value)) {
    check.problems.push({ field: path, description: `must be a list, not ${show(value)}; use [value]` })
    return []
  }
  for (const [index, item] of value.entries()) {
    if (!isCode(item, row)) check.problems.push({ field: `${path}[${index}]`, description: codeProblem(item, row) })
  }
  return [...value]
}

function isCode(value: unknown, { callable, methods = [] }: CodeRow): boolean {
  if (callable && typeof value === 'function') return true
  if (methods.length === 0 || typeof value !== 'object' || value === null) return false
  return methods.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function')
}

function codeProblem(value: unknown, { callable, methods = [] }: CodeRow): string {
  const object = `{ ${methods.map((name) => `${name}: function`).join(', ')} }`
  const words = [...(callable ? ['a function'] : []), ...(methods.length > 0 ? [object] : [])]
  return `must be ${words.join(' or ')}, not ${show(value)}`
}
