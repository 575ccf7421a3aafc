/** The cursors of watches, as clients hold them: a place of the store's events, with a sum that belongs to the repository. */
import { hash } from 'node:crypto'
import { invalidArgument } from '../../../src/core/error.ts'
import type { EventCursor } from '../../store/events.ts'

/** Begins every cursor; another letter = a cursor of another version of the server. */
const version = 'w1'
const form = /^w1\.([0-9a-zA-Z-]{1,64})\.([0-9a-z]{1,11})\.([0-9a-f]{8})$/

/** Damage and mix-ups are told by it. It is no secret: a cursor tells nothing to those who may not read the repository. */
const sumOf = (repository: string, text: string) => hash('sha1', `${repository}\n${text}`).slice(0, 8)

/** The opaque cursor of a place. */
export function writeCursor(repository: string, { incarnation, sequence }: EventCursor): string {
  const text = `${incarnation}.${sequence.toString(36)}`
  return `${version}.${text}.${sumOf(repository, text)}`
}

/** The place of a cursor; undefined for the empty one. @throws BlobwireError `invalid_argument` for what is none of this repository */
export function readCursor(repository: string, cursor: string): EventCursor | undefined {
  if (cursor === '') return undefined
  const [, incarnation = '', digits = '', sum] = form.exec(cursor) ?? []
  const sequence = Number.parseInt(digits, 36)
  if (!Number.isSafeInteger(sequence) || sum !== sumOf(repository, `${incarnation}.${digits}`)) {
    throw invalidArgument('cursor', 'must be empty, or a cursor of an earlier watch of the same repository')
  }
  return { incarnation, sequence }
}
