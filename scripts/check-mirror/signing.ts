/** Signs with SSH, as `git commit -S` does with `gpg.format=ssh`, and has git verify the signatures. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { plausibleSignature } from '../../test/support/history/odd-lines.ts'
import type { Sign } from '../../test/support/history/writer.ts'

/** Each signature is a process. */
const realSignatures = 20

/** A key in the directory, or undefined without `ssh-keygen`. */
function makeKey(directory: string): string | undefined {
  const key = join(directory, 'key')
  try {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ada', '-f', key], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  writeFileSync(join(directory, 'signers'), `* ${readFileSync(`${key}.pub`, 'utf8')}`)
  return key
}

/** Real signatures for the first commits and tags, and bytes that look like some for the others. */
export function signer(directory: string): Sign {
  const key = makeKey(directory)
  let left = key === undefined ? 0 : realSignatures
  return (payload) => {
    if (left-- <= 0 || key === undefined) return plausibleSignature(payload)
    const args = ['-q', '-Y', 'sign', '-n', 'git', '-f', key]
    return execFileSync('ssh-keygen', args, { input: payload, stdio: ['pipe', 'pipe', 'ignore'] }).toString()
  }
}

/** How many of the commits have a signature that git finds good. */
export function goodSignatures(repository: string, signers: string, commits: readonly string[]): number {
  const verify = (oid: string): boolean => {
    const args = [
      '-C',
      repository,
      '-c',
      `gpg.ssh.allowedSignersFile=${join(signers, 'signers')}`,
      'verify-commit',
      oid
    ]
    try {
      execFileSync('git', args, { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }
  return commits.filter(verify).length
}
