/** Checks numbers of a configuration, which may have units. */
import { show } from '../core/check-options.ts'
import { type Check, valueProblem } from './check.ts'
import { meantQuantity, parseQuantity, quantityExample, type Unit } from './quantity.ts'
import type { NumberRow } from './row.ts'

/** A number, or a text with a unit. */
export function checkQuantity(
  value: unknown,
  path: string,
  { row, check }: { readonly row: NumberRow; readonly check: Check }
): unknown {
  const unit = row.unit as Unit
  const number = (typeof value === 'string' ? parseQuantity(value, unit) : undefined) ?? value
  const problem = valueProblem(number, row)
  if (problem === undefined) return number
  const bounds = problem.slice(0, -`, not ${show(number)}`.length)
  const meant = meantQuantity(value, unit)
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`
  const description = `${bounds}, or ${quantityExample[unit]}, not ${show(value)}${hint}`
  check.problems.push({ field: path, description })
  return number
}
