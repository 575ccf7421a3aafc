/** The packed package, made once for the test files of a process. */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from '../../scripts/pack.ts'
import { root, runProgram } from '../support/child.ts'

let made: Promise<string> | undefined

/** The path of the tarball, which is gone when the process ends. */
export function packed(): Promise<string> {
  made ??= makeTarball()
  return made
}

async function makeTarball(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-packed-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return pack(directory)
}

/** Installs it in a directory, with the dependencies of this repository. Returns its own directory. */
export async function install(directory: string): Promise<string> {
  const installed = join(directory, 'node_modules/blobwire')
  await mkdir(installed, { recursive: true })
  await runProgram('tar', '-xzf', await packed(), '-C', installed, '--strip-components=1')
  await symlink(join(root, 'node_modules'), join(installed, 'node_modules'))
  return installed
}
