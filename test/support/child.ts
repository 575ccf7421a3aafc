/** Starts the child processes of tests, in an environment that does not depend on how the tests themselves are run. */
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * On a terminal the test runner of Node sets FORCE_COLOR for every test file. Inherited, it would colour the output of
 * child processes, which tests compare.
 */
const { FORCE_COLOR: _colour, NODE_TEST_CONTEXT: _context, ...env } = process.env

export { env as childEnvironment }

/** Starts Node; its stderr is that of the test. */
export const startNode = (...args: string[]) =>
  spawn(process.execPath, args, { cwd: root, env, stdio: ['pipe', 'pipe', 'inherit'] })

/** Starts any program, with all three streams in the hands of the test. */
export const startProgram = (program: string, ...args: string[]) => spawn(program, args, { cwd: root, env })

/** Runs a program to its end. @throws Error where it fails, or takes longer than a minute */
export const runProgram = (program: string, ...args: string[]) =>
  promisify(execFile)(program, args, { cwd: root, env, timeout: 60_000 })

/** The same for Node. */
export const runNode = (...args: string[]) => runProgram(process.execPath, ...args)

/** Whether a process with the id runs. One that has ended may be there for a while, until its parent has asked how. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Arguments with which Node runs a script that has `createClient` at hand. */
export const clientScript = (script: string) => [
  '--input-type=module',
  '-e',
  `import { createClient } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}\n${script}`
]
