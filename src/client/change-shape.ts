/** The form of a change of `commitFiles`. */

import { show } from '../core/check-options.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { isSource } from '../transfer/source-kinds.ts'
import { contentProblem } from './content-problem.ts'
import { bytes, object, path, text } from './take.ts'
import { filePathOrUrl, mode, oidOrNull, source } from './take-values.ts'

function onlyTrue(value: unknown): unknown {
  if (value === true) return true
  throw new FieldProblem('must be true; leave the path out to keep it')
}

const changedFile = object(
  { content: source, file: filePathOrUrl, oid: text, moveFrom: path, delete: onlyTrue, mode, expectedOid: oidOrNull },
  { aliases: { text: 'content' } }
)

const changeForms = 'must be bytes, a string, null, { content }, { file }, { oid }, { moveFrom } or { delete: true }'
const kindsOfChange = ['content', 'file', 'oid', 'moveFrom', 'delete']

/** One change of a commit. */
export function change(value: unknown): unknown {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array)
    return value === null ? null : bytes(value)
  if (isSource(value)) return value
  const isObject = Object.prototype.toString.call(value) === '[object Object]'
  if (!isObject) throw new FieldProblem(`${changeForms}; as its content, it ${contentProblem(value)}`)
  const taken = changedFile(value) as Record<string, unknown>
  const kinds = kindsOfChange.filter((key) => taken[key] !== undefined)
  if (kinds[0] === 'delete' && taken['mode'] !== undefined) throw new FieldProblem('a removal has no mode')
  // Contents that the server has are sent as oids, which these modes take for a directory and a submodule.
  const hasContent = kinds[0] === 'content' || kinds[0] === 'file'
  if (hasContent && (taken['mode'] === '160000' || taken['mode'] === '040000')) {
    throw new FieldProblem('must be the mode of a file where content is given').within('mode')
  }
  if (kinds.length === 1) return taken
  throw new FieldProblem(
    kinds.length === 0 ? `${changeForms}, not ${show(value)}` : `must have only one of ${kinds.join(' and ')}`
  )
}
