/** Packs the package into a tarball. */
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Builds and packs the package into a directory, as `npm publish` does. Returns the path of the tarball. */
export async function pack(directory: string): Promise<string> {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', directory], { cwd })
  const name = (await readdir(directory)).find((file) => file.endsWith('.tgz'))
  if (name === undefined) throw new Error('npm pack has made no tarball')
  return join(directory, name)
}
