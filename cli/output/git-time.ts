/** Times of commits, as their authors saw them. */
import type { Signature } from '../../src/index.ts'

/** Such as `2026-11-26 13:22 +0100`. */
export function gitTime({ timeSeconds, zone = '+0000' }: Pick<Signature, 'timeSeconds'> & { zone?: string }): string {
  const [, sign = '+', hours = '0', minutes = '0'] = /^([+-])(\d\d)(\d\d)$/.exec(zone) ?? []
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60)
  const local = new Date((timeSeconds + offset) * 1000)
  // Old history has any number.
  if (Number.isNaN(local.getTime())) return `${timeSeconds} ${zone}`
  return `${local.toISOString().slice(0, 16).replace('T', ' ')} ${zone}`
}
