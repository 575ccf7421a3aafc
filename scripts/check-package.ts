/** Packs the package, and has publint and attw (Are The Types Wrong?) check the tarball. Needs no network. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { pack } from './pack.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'blobwire-pack-'))
try {
  const tarball = await pack(directory)
  const { buffer, byteOffset, byteLength } = readFileSync(tarball)
  const packed = { tarball: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer }
  const { messages, pkg } = await publint({ pack: packed, strict: true })
  for (const message of messages) console.error(`publint: ${formatMessage(message, pkg)}`)
  if (messages.length > 0) process.exitCode = 1
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
  execFileSync(process.execPath, [attw, tarball, '--no-emoji'], { stdio: 'pipe' })
} catch (error) {
  const { message, stdout } = error as Error & { stdout?: Buffer }
  console.error(stdout?.toString() || message)
  process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true })
}
