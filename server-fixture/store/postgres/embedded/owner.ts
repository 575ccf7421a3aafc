/** The user of the engine: its programs refuse to run as root. */
import { execFile } from 'node:child_process'
import { chown } from 'node:fs/promises'
import { promisify } from 'node:util'

/** `nobody`, whose user needs no entry in the machine's files; otherwise the user of this process. */
export const owner = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined

/** Gives a file or a directory to the owner of the engine. */
export async function giveToOwner(path: string): Promise<void> {
  if (owner !== undefined) await chown(path, owner.uid, owner.gid)
}

/** Resolves to the output of the program. @throws Error with its errors */
export async function runAsOwner(program: string, args: readonly string[]): Promise<string> {
  // The owner may not be able to read the directory of this process.
  const { stdout } = await promisify(execFile)(program, [...args], { ...owner, cwd: '/' })
  return stdout
}

/** @throws Error that names the directory, where the owner of the engine may not look into one above it */
export async function checkReach(directory: string): Promise<void> {
  if (owner === undefined) return
  await runAsOwner('test', ['-x', directory]).catch(() => {
    throw new Error(
      `the database of root runs as nobody (uid ${owner.uid}), who cannot reach ${directory}: choose another directory with --data`
    )
  })
}
