/** Ranges of bytes, as `Blob.slice` counts them, without its negative numbers. */
import { show } from '../core/check-options.ts'
import { BlobwireError } from '../core/error.ts'
import { FieldProblem } from '../core/field-problem.ts'

/** From `start` up to `end`, both in bytes; an `end` that is undefined or beyond the blob's is the end of the blob. */
export interface Range {
  readonly start: number
  readonly end: number | undefined
}

/** A range of a blob whose size is known. */
export interface KnownRange extends Range {
  readonly end: number
}

/** @throws FieldProblem for anything but a whole number of bytes */
export function takePosition(value: unknown): unknown {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value
  const isNegative = typeof value === 'number' && value < 0
  const hint = isNegative ? '; positions are counted from the beginning of the blob' : ''
  throw new FieldProblem(`must be a whole number of bytes, 0 or more, not ${show(value)}${hint}`)
}

/** @throws FieldProblem where the range ends before it begins */
export function checkRange({ start, end }: Range): void {
  if (end === undefined || end >= start) return
  throw new FieldProblem(`must be start (${start}) or more, not ${end}; it is the byte behind the range`).within('end')
}

/** The range within a blob of this size. @throws BlobwireError `out_of_range` where it begins beyond the end */
export function rangeWithin({ start, end }: Range, size: number): KnownRange {
  if (start <= size) return { start, end: Math.min(end ?? size, size) }
  const message = `start: the range begins at byte ${start}, and the blob has ${size} bytes`
  throw new BlobwireError({ code: 'out_of_range', message, sent: 'processed', attempts: 1 })
}

/** Whether the range is the whole blob, which its oid verifies; others have a digest of their own. */
export function isWhole({ start, end }: Range, size: number): boolean {
  return start === 0 && (end ?? size) >= size
}
