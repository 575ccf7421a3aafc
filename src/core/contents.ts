/** Contents are taken by reference, so that a caller's buffer may be transferred or shrink before its bytes are sent. */
import type { BlobwireError } from './error.ts'
import { FieldProblem } from './field-problem.ts'

const gone = 'was transferred, or its buffer shrank; contents may not change until the call has settled'

const { at } = Uint8Array.prototype

/** Whether the bytes lost their memory: a buffer that was detached, or shrank below where they begin or end. */
export function isGone(bytes: Uint8Array): boolean {
  if (bytes.length > 0) return false
  try {
    at.call(bytes, 0)
    return false
  } catch {
    // ECMAScript's ValidateTypedArray: detached or out of bounds.
    return true
  }
}

/** The parts of requests that hold contents. */
interface WithContents {
  readonly content?: Uint8Array
  readonly changes?: readonly { readonly path?: string; readonly content?: Uint8Array }[]
  readonly operations?: readonly Readonly<Record<string, object>>[]
}

/** @throws BlobwireError `invalid_argument`, reason `content_gone`, where a content of the request lost its memory */
export function checkContents(request: object): void {
  const field = goneField(request)
  if (field !== undefined) throw contentGone(field)
}

/** The problem of a content that lost its memory before the call had settled. */
export function goneContent(): FieldProblem {
  return new FieldProblem(gone, { reason: 'content_gone' })
}

/** The same as an error. */
export function contentGone(field: string): BlobwireError {
  return goneContent().within(field).toError()
}

function goneField(request: WithContents): string | undefined {
  const { content, changes, operations } = request
  if (content !== undefined) return content.length === 0 && isGone(content) ? 'content' : undefined
  if (changes !== undefined) {
    const gone = changes.find((change) => change.content?.length === 0 && isGone(change.content))
    return gone && `changes[${JSON.stringify(gone.path)}]`
  }
  if (operations === undefined) return undefined
  for (let index = 0; index < operations.length; index++) {
    const operation = operations[index] ?? {}
    for (const name in operation) {
      const field = goneField(operation[name] ?? {})
      if (field !== undefined) return `operations[${index}].${field}`
    }
  }
  return undefined
}
