/** Takes over the values that blobs do not have (`take.ts`): lists, dates, modes, sources, values by path. */
import { show } from '../core/check-options.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { modeRule } from '../git/mode.ts'
import { binaryPath, pathFields, showPath } from '../git/raw-path.ts'
import { type FileUrl, isBlob, isStream } from '../transfer/source-kinds.ts'
import { sourceProblem } from './content-problem.ts'
import { bytes, located, path, type Take } from './take.ts'

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

/** An oid, or `null` for nothing. */
export function oidOrNull(value: unknown): unknown {
  if (value === null || typeof value === 'string') return value
  throw new FieldProblem(`must be an oid or null, not ${show(value)}`)
}

export function aFunction(value: unknown): unknown {
  if (typeof value === 'function') return value
  throw new FieldProblem(`must be a function, not ${show(value)}`)
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
