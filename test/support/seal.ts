/**
 * Signatures that need no key: the hash of what is signed, in an armour. Run by git as `gpg.program`, this file verifies
 * them; so git itself says which bytes it takes for the signed ones.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A function for the option `sign`. */
export function seal(object: Uint8Array): string {
  const hash = createHash('sha256').update(object).digest('hex')
  return `-----BEGIN PGP SIGNATURE-----\n\n${hash}\n-----END PGP SIGNATURE-----\n`
}

const file = fileURLToPath(import.meta.url)

/** Arguments that have git verify with this file; a script for it is written to the directory. */
export function verifyingBySeal(directory: string): string[] {
  const program = join(directory, 'verify-seal')
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`, { mode: 0o755 })
  return ['-c', `gpg.program=${program}`]
}

if (process.argv[1] === file) {
  const signature = readFileSync(process.argv.at(-2) ?? '', 'utf8')
  const isGood = signature === seal(readFileSync(0))
  console.log(isGood ? '\n[GNUPG:] GOODSIG 0 seal\n[GNUPG:] TRUST_FULLY 0' : '\n[GNUPG:] BADSIG 0 seal')
  process.exitCode = isGood ? 0 : 1
}
