/** Git as a client of a server that runs in the test's own process. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../store/support.ts'

const environment = {
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.com'
}

/** A repository of Git with a work tree. */
export class WorkTree {
  readonly path: string
  readonly #environment: NodeJS.ProcessEnv

  constructor(path: string, more: NodeJS.ProcessEnv = {}) {
    this.path = path
    this.#environment = { ...environment, ...more }
  }

  /** An empty one, on the branch `main`. */
  static async init(context: TestContext, ...flags: readonly string[]): Promise<WorkTree> {
    const tree = new WorkTree(await temporaryDirectory(context))
    await tree.git('init', '--quiet', '--initial-branch=main', ...flags)
    return tree
  }

  /** The same directory, with other variables. */
  with(more: NodeJS.ProcessEnv): WorkTree {
    return new WorkTree(this.path, more)
  }

  /** Clones into a directory beside the work tree. */
  async clone(url: string, ...flags: readonly string[]): Promise<WorkTree> {
    const path = join(this.path, 'clone')
    await this.git('clone', '--quiet', ...flags, url, path)
    return new WorkTree(path)
  }

  /** Makes an empty commit; returns its oid. */
  async commit(message: string): Promise<string> {
    await this.git('commit', '--quiet', '--allow-empty', '--message', message)
    return await this.git('rev-parse', 'HEAD')
  }

  /** The output of a git that succeeds. */
  async git(...args: readonly string[]): Promise<string> {
    const { status, output } = await this.run(...args)
    assert.equal(status, 0, `git ${args.join(' ')}: ${output}`)
    return output.trim()
  }

  /** Runs git, whatever becomes of it. */
  async run(...args: readonly string[]): Promise<{ status: number | null; output: string }> {
    const child = spawn('git', args, { cwd: this.path, env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, output }
  }
}
