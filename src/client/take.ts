/**
 * Takes values over from callers: checks their form and copies lists and objects, so that the caller may change his own
 * afterwards. Contents are not copied.
 */
import { expectedKeys, show } from '../core/check-options.ts'
import { goneContent, isGone } from '../core/contents.ts'
import { invalidArgument } from '../core/error.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { contentProblem } from './content-problem.ts'
import type { Bytes } from './inputs.ts'

/** Returns the checked value, or a copy of it. @throws FieldProblem */
export type Take = (value: unknown) => unknown

/** The keys of an object, and how the value of each is taken. */
export type Shape = Readonly<Record<string, Take>>

interface ObjectRules {
  /** Keys that must be given. */
  readonly required?: readonly string[]
  /** Names that others use, and the right one. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Words behind `is required`, by key. */
  readonly nothing?: Readonly<Record<string, string>>
}

export function text(value: unknown): unknown {
  if (typeof value === 'string') return value
  const hasOid = typeof value === 'object' && value !== null && 'oid' in value
  throw new FieldProblem(`must be a string, not ${show(value)}${hasOid ? '; did you mean its oid?' : ''}`)
}

/** A number of items; 0 would be the server's default. */
export function count(value: unknown): unknown {
  if (Number.isInteger(value) && (value as number) > 0) return value
  throw new FieldProblem(`must be an integer of 1 or more, not ${show(value)}`)
}

/** A path in a tree: text, or the bytes of one that is not UTF-8, which are copied. */
export function path(value: unknown): unknown {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array && !isGone(value)) return new Uint8Array(value)
  throw new FieldProblem(`must be a string, or the bytes of a path that is not UTF-8, not ${show(value)}`)
}

/** Empty where an environment variable is, which must not read HEAD or the root instead. */
function notEmpty(take: Take, rule: string): Take {
  return (value) => {
    if (value === '') throw new FieldProblem(rule)
    return take(value)
  }
}

/** A revision that was given, which is not that of the default. */
export const revision = notEmpty(text, 'must not be empty; a revision is an oid, a branch, a tag, a ref or HEAD')

/** The path of a file. */
export const filePath = notEmpty(path, 'must not be empty; it is the path of a file, such as "dir/file.txt"')

export function bytes(value: unknown): unknown {
  if (typeof value === 'string') return value
  if (!(value instanceof Uint8Array)) throw new FieldProblem(contentProblem(value))
  if (value.length === 0 && isGone(value)) throw goneContent()
  return value
}

/** An object with the keys of `shape` and no others; those that are undefined are left out. */
export function object(shape: Shape, { required = [], aliases = {}, nothing = {} }: ObjectRules = {}): Take {
  const keys = Object.keys(shape)
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
      throw new FieldProblem(`must be an object with the keys ${keys.join(', ')}, not ${show(value)}`)
    }
    for (const key in value) {
      if (!Object.hasOwn(shape, key))
        throw new FieldProblem(`unknown key; ${expectedKeys(key, keys, aliases)}`).within(key)
    }
    const copy: Record<string, unknown> = {}
    let key = ''
    try {
      // By the shape's keys, because getters of classes are found by no loop over the value.
      for (key of keys) {
        const item = (value as Record<string, unknown>)[key]
        if (item !== undefined) copy[key] = (shape[key] as Take)(item)
        else if (required.includes(key)) throw new FieldProblem(`is required${nothing[key] ?? ''}`)
      }
    } catch (problem) {
      throw located(problem, key)
    }
    return copy
  }
}

export function located(problem: unknown, step: string): unknown {
  return problem instanceof FieldProblem ? problem.within(step) : problem
}

const encoder = new TextEncoder()

/** @throws BlobwireError `invalid_argument` for anything but bytes and well-formed strings */
export function toBytes(field: string, content: Bytes): Uint8Array {
  if (content instanceof Uint8Array) return content
  if (typeof content !== 'string') throw invalidArgument(field, contentProblem(content))
  if (!content.isWellFormed()) throw invalidArgument(field, 'must be well-formed Unicode, without lone surrogates')
  return encoder.encode(content)
}
