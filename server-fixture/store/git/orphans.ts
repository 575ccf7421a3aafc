import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** Name of the variable by which a git process, and every process it starts, is known as one of ours. */
export const markVariable = 'BLOBWIRE_INSTANCE'

/** What this process gives its git processes as their mark. */
export const instanceMark = randomBytes(8).toString('hex')

/** Where processes cannot be listed, they get this long: they meet the end of their input and finish. */
const graceMs = 250
/** A long `git repack` is not waited for: it may go on beside a new server, and deletes only what it has copied. */
const maxWaitMs = 5_000
const pollMs = 20

/**
 * Waits until the git processes of a server that was killed have ended, so that none works in its repositories while
 * they are cleared and used. Source of the list: proc(5), `/proc/pid/environ`.
 */
export async function waitForOrphans(mark: string): Promise<void> {
  const pids = await listProcesses()
  if (pids.length === 0) return await sleep(graceMs)
  const deadline = performance.now() + maxWaitMs
  while (performance.now() < deadline && (await anyMarked(`${markVariable}=${mark}`))) await sleep(pollMs)
}

async function anyMarked(variable: string): Promise<boolean> {
  const marked = await Promise.all(
    (await listProcesses()).map(async (pid) => {
      // Those of other users cannot be read, and are not ours.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
      return environment.split('\0').includes(variable)
    })
  )
  return marked.includes(true)
}

async function listProcesses(): Promise<string[]> {
  const names = await readdir('/proc').catch(() => [])
  return names.filter((name) => /^\d+$/.test(name))
}
