/** `MachineFunctions` of platform.ts on Node. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Made by Linux at each start; containers on one machine have the same. */
const bootId = '/proc/sys/kernel/random/boot_id'
let mark: string | undefined

export function machineMark(): string {
  mark ??= readMark()
  return mark
}

function readMark(): string {
  try {
    const id = readFileSync(bootId, 'utf8').trim()
    // The id itself is nobody else's business.
    return createHash('sha256').update(`blobwire machine ${id}`).digest('hex').slice(0, 32)
  } catch {
    return ''
  }
}
