/** The form of the inputs of blobs. */
import { show } from '../core/check-options.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { bytes, filePath, object, revision, text } from './take.ts'

const blobAddress = object({ oid: text, revision, path: filePath })

const blob = object({ content: bytes }, { required: ['content'] })

/** Most calls of most applications have this input: a content of some bytes, which needs no second look. */
function storeBlob(value: unknown): unknown {
  for (const key in value as object) if (key !== 'content') return blob(value)
  const content = (value as { content?: unknown } | undefined)?.content
  return content instanceof Uint8Array && content.length > 0 ? { content } : blob(value)
}

function getBlob(value: unknown): unknown {
  const address = blobAddress(value) as Record<string, unknown>
  const { oid, revision, path: at } = address
  const isOne = oid === undefined ? revision !== undefined && at !== undefined : (revision ?? at) === undefined
  if (isOne) return address
  throw new FieldProblem(`must be the address of a blob: { oid }, or { revision, path }, not ${show(value)}`)
}

export const blobShapes = { storeBlob, getBlob }
