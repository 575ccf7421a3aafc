/** What is wrong with a value where bytes are wanted, and how to make bytes of it. */
import { show } from '../core/check-options.ts'

const rule = 'must be a Uint8Array or a string'

/** The rule, the value, and the way from one to the other. */
export function contentProblem(value: unknown): string {
  const way = wayToBytes(value)
  return `${rule}, not ${shown(value)}${way === undefined ? '' : `; ${way}`}`
}

const sourceRule =
  'must be a Uint8Array, a string, a Blob, { file }, a stream, an async iterable, or a function that returns a stream'

/** The same for the source of an upload. */
export function sourceProblem(value: unknown): string {
  const way = wayToSource(value)
  return `${sourceRule}; not ${shown(value)}${way === undefined ? '' : `; ${way}`}`
}

function wayToSource(value: unknown): string | undefined {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag === 'Response' || tag === 'Request') return 'use value.body'
  if (tag === 'URL') return 'of a file, use { file: url }'
  if (typeof value === 'object' && value !== null) {
    if ('createReadStream' in value) return 'use () => handle.createReadStream({ start: 0 })'
    if ('path' in value || 'filePath' in value || 'filename' in value) return 'of a file, use { file: path }'
  }
  return wayToBytes(value)
}

/** Contents may be secret. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (Object.prototype.toString.call(value) !== '[object Object]') return show(value)
  const maker: unknown = Object.getPrototypeOf(value)?.constructor
  return typeof maker === 'function' && maker !== Object ? `an instance of ${maker.name}` : 'a plain object'
}

function wayToBytes(value: unknown): string | undefined {
  if (ArrayBuffer.isView(value)) return 'use new Uint8Array(view.buffer, view.byteOffset, view.byteLength)'
  switch (Object.prototype.toString.call(value).slice(8, -1)) {
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      return 'use new Uint8Array(buffer)'
    case 'Blob':
    case 'File':
    case 'Response':
      return 'use new Uint8Array(await value.arrayBuffer())'
    case 'ReadableStream':
      return 'read the stream first: new Uint8Array(await new Response(stream).arrayBuffer()), or use upload(stream)'
    case 'Array':
      return (value as unknown[]).every((item) => typeof item === 'number') ? 'use Uint8Array.from(list)' : undefined
    case 'Object':
      return wayFromObject(value as object)
    case 'Number':
    case 'Boolean':
    case 'BigInt':
      return 'use String(value)'
    default:
      return undefined
  }
}

function wayFromObject(value: object): string | undefined {
  if ('content' in value) return 'did you mean its content?'
  if (Symbol.asyncIterator in value) return 'read the stream first, or use upload(stream)'
  if ('file' in value) return 'of a file, use upload({ file })'
  return 'for JSON, use JSON.stringify(value)'
}
