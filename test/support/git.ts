/** The real `git` as judge. Bare repositories in temporary directories; nothing of the user's configuration is read. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ObjectFormat } from '../../src/git/oid.ts'

const environment = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  LC_ALL: 'C'
}

/** A repository that is only Git's. */
export class GitRepository {
  readonly directory: string

  /** It is gone when the test has ended. */
  constructor(context: Pick<TestContext, 'after'>, format: ObjectFormat) {
    this.directory = mkdtempSync(join(tmpdir(), 'blobwire-git-'))
    context.after(() => rmSync(this.directory, { recursive: true, force: true }))
    this.run(['init', '--quiet', '--bare', `--object-format=${format}`, '--initial-branch=main', '.'])
  }

  /** The output of git; throws where git fails. */
  run(args: readonly string[], input: string | Uint8Array = ''): string {
    return this.bytes(args, input).toString()
  }

  bytes(args: readonly string[], input: string | Uint8Array = ''): Buffer {
    const options = {
      cwd: this.directory,
      input,
      env: environment,
      maxBuffer: 2 ** 28,
      stdio: ['pipe', 'pipe', 'pipe'] as const
    }
    return execFileSync('git', [...args], { ...options, stdio: [...options.stdio] })
  }

  /** Whether git succeeds, and its output. */
  try(args: readonly string[], input: string | Uint8Array = ''): { ok: boolean; text: string } {
    try {
      return { ok: true, text: this.run(args, input) }
    } catch (error) {
      const { stdout, stderr } = error as { stdout: Buffer; stderr: Buffer }
      return { ok: false, text: `${stdout}${stderr}` }
    }
  }

  /** Stores an object as it is, without git's own checks. Returns its oid. */
  store(kind: string, content: Uint8Array): string {
    return this.run(['hash-object', '-t', kind, '-w', '--stdin', '--literally'], content).trim()
  }
  /** The same for many, in one process. Returns their oids. */
  storeAll(kind: string, contents: readonly Uint8Array[]): string[] {
    const directory = mkdtempSync(join(this.directory, 'contents-'))
    const paths = contents.map((content, index) => {
      const path = join(directory, String(index))
      writeFileSync(path, content)
      return path
    })
    const text = this.run(['hash-object', '-t', kind, '-w', '--stdin-paths', '--literally'], paths.join('\n'))
    rmSync(directory, { recursive: true })
    return text.trim().split('\n')
  }
}
