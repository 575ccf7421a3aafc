/** Histories that Git makes, and repositories with odd refs, which files alone can make. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const environment = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  LC_ALL: 'C'
}

/** The output of git in a directory. */
export function runGit(directory: string, args: readonly string[], input: string | Uint8Array = ''): Buffer {
  return execFileSync('git', [...args], { cwd: directory, input, env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
}

const by = 'A <a@example.com>'

/** A bare repository with a straight history, whose oids are returned, the oldest first; each ref is one commit later. */
export function history(gitDir: string, refs: readonly string[], tag = 'v1'): string[] {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', gitDir], { env: environment })
  const commits = refs.map((ref, index) => {
    const from = index > 0 ? `from :${index}\n` : ''
    const file = `M 100644 inline f\ndata 2\n${index}\n\n`
    return `commit ${ref}\nmark :${index + 1}\ncommitter ${by} ${1_700_000_000 + index} +0000\ndata 2\nc\n\n${from}${file}`
  })
  const tagged = `tag ${tag}\nfrom :${refs.length}\ntagger ${by} 1700000000 +0000\ndata 2\nt\n\n`
  const input = `${commits.join('')}${tagged}${refs.map((_, index) => `get-mark :${index + 1}\n`).join('')}done\n`
  const output = runGit(gitDir, ['fast-import', '--quiet', '--done'], input).toString().trim()
  return output.split('\n')
}

/** Writes a ref's file, whatever its name and its content are. */
export function writeRef(gitDir: string, name: string | Buffer, content: string): void {
  const path = Buffer.concat([Buffer.from(`${gitDir}/`), Buffer.from(name)])
  if (typeof name === 'string') mkdirSync(dirname(join(gitDir, name)), { recursive: true })
  writeFileSync(path, content)
}
