/** Checks the version of git. */
import { BlobwireError } from '../../../src/core/error.ts'
import { runGit } from './git-process.ts'

/** `cat-file --batch-command` and `core.fsync` came with Git 2.36. */
export async function checkGitVersion(program: string): Promise<void> {
  const output = (await runGit({ program }, ['version'])).toString('latin1').trim()
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(output) ?? []
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 36)) return
  const message = `the Git store requires git 2.36 or newer; ${program} is ${output || 'not git'}`
  throw new BlobwireError({ reason: 'git_version', message })
}
