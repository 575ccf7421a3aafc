/**
 * Takes values over from callers: checks their form and copies lists and objects, so that the caller may change his own
 * afterwards. Contents are not copied.
 */
import { expectedKeys, show } from '../core/check-options.ts'
import { goneContent, isGone } from '../core/contents.ts'
import { invalidArgument } from '../core/error.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { modeRule } from '../git/mode.ts'
import { binaryPath, pathFields, showPath } from '../git/raw-path.ts'
import { type FileUrl, isBlob, isStream } from '../transfer/source-kinds.ts'
import { contentProblem, sourceProblem } from './content-problem.ts'
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

/** The mode of a file. Which texts are one is checked by the server. */
export function mode(value: unknown): unknown {
  if (typeof value === 'string') return value
  throw new FieldProblem(`${modeRule(value)} (a string, not ${show(value)})`)
}

export function flag(value: unknown): unknown {
  if (typeof value === 'boolean') return value
  throw new FieldProblem(`must be true or false, not ${show(value)}`)
}

/** One of two words. */
export function either(one: string, other: string): Take {
  return (value) => {
    if (value === one || value === other) return value
    throw new FieldProblem(`must be ${one} or ${other}, not ${show(value)}`)
  }
}

/** A number of items; 0 would be the server's default. */
export function count(value: unknown): unknown {
  if (Number.isInteger(value) && (value as number) > 0) return value
  throw new FieldProblem(`must be an integer of 1 or more, not ${show(value)}`)
}

/** An oid, or `null` for nothing. */
export function oidOrNull(value: unknown): unknown {
  if (value === null || typeof value === 'string') return value
  throw new FieldProblem(`must be an oid or null, not ${show(value)}`)
}

export function aFunction(value: unknown): unknown {
  if (typeof value === 'function') return value
  throw new FieldProblem(`must be a function, not ${show(value)}`)
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

/** The source of an upload; a file is copied, everything else is the caller's. */
export function source(value: unknown): unknown {
  if (typeof value === 'string' || value instanceof Uint8Array) return bytes(value)
  if (typeof value === 'function') return value
  if (typeof value === 'object' && value !== null) {
    if ('file' in value) return file(value)
    if (isBlob(value) || isStream(value)) return value
  }
  throw new FieldProblem(sourceProblem(value))
}

function file(value: object): { file: string | FileUrl } {
  for (const key in value) {
    if (key !== 'file') throw new FieldProblem('unknown key beside file; options are in the last argument').within(key)
  }
  try {
    return { file: filePathOrUrl((value as { readonly file: unknown }).file) }
  } catch (problem) {
    throw located(problem, 'file')
  }
}

/** The path of a file of this machine. */
export function filePathOrUrl(path: unknown): string | FileUrl {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path
  const url = Object.prototype.toString.call(path) === '[object URL]' ? (path as FileUrl) : undefined
  if (url?.protocol === 'file:') return url
  const shown = url === undefined ? show(path) : JSON.stringify(url.href)
  const way = url === undefined ? '' : '; of what is no file, give a stream: (await fetch(url)).body'
  throw new FieldProblem(`must be the path of a file, or a file: URL, not ${shown}${way}`)
}

/** The latest date that is one in seconds; the same number of milliseconds is a date of 1973. */
const latestSeconds = 1e11

/** A date in seconds since 1970. */
export function seconds(value: unknown): unknown {
  if (value instanceof Date) {
    throw new FieldProblem('must be a number of seconds, not a Date; use Math.floor(date.getTime() / 1000)')
  }
  if (typeof value !== 'number') throw new FieldProblem(`must be a number of seconds since 1970, not ${show(value)}`)
  if (!Number.isInteger(value)) {
    throw new FieldProblem(`must be a whole number of seconds since 1970, not ${show(value)}; use Math.floor`)
  }
  if (value > latestSeconds) {
    const meant = Math.floor(value / 1000)
    throw new FieldProblem(
      `must be in seconds since 1970, not milliseconds; did you mean ${meant} instead of ${value}?`
    )
  }
  return value
}

/** How to make a list of what is none. */
function listHint(value: unknown): string {
  if (typeof value === 'string') return '; use [value]'
  const isIterable = typeof value === 'object' && value !== null && Symbol.iterator in value
  return isIterable ? '; use [...value]' : ''
}

export function list(take: Take): Take {
  return (value) => {
    if (!Array.isArray(value)) throw new FieldProblem(`must be a list, not ${show(value)}${listHint(value)}`)
    const copy = new Array(value.length)
    let index = 0
    try {
      for (; index < copy.length; index++) copy[index] = take(value[index])
    } catch (problem) {
      throw located(problem, `[${index}]`)
    }
    return copy
  }
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

/** Values by path: a plain object or a Map, also of another realm. */
export function byPath(take: Take, example: string): Take {
  return (value) => {
    const isMap = Object.prototype.toString.call(value) === '[object Map]'
    if (!isMap && !isPlain(value)) throw new FieldProblem(`must be an object of paths or a Map, such as ${example}`)
    const entries = isMap ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
    const taken = entries.map(([key, item]): [string | Uint8Array, unknown] => {
      if (typeof key !== 'string' && !(key instanceof Uint8Array))
        throw new FieldProblem(`has a path that is no string: ${show(key)}`)
      const own = path(key) as string | Uint8Array
      try {
        return [own, take(item)]
      } catch (problem) {
        throw located(problem, `[${showPath(binaryPath(pathFields(own)))}]`)
      }
    })
    return isMap ? new Map(taken) : Object.fromEntries(taken as [string, unknown][])
  }
}

function isPlain(value: unknown): boolean {
  if (Object.prototype.toString.call(value) !== '[object Object]') return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function located(problem: unknown, step: string): unknown {
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
