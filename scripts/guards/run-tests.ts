/** Runs one test file in a copy of the repository, for a bounded time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** How the test file ended. */
export interface TestRun {
  /** `unusable`: the file could not even be loaded, so nothing was tested. */
  readonly outcome: 'passed' | 'failed' | 'timed out' | 'unusable'
  /** The test that failed first, or the error that kept the file from being loaded. */
  readonly detail: string
}

export interface TestRunOptions {
  /** The copy of the repository. */
  readonly root: string
  /** Directory for temporary files of the tests, which a killed test leaves behind. */
  readonly temporary: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Broken code that cannot be loaded, or has an unknown name, fails every test, which says nothing about them. */
const loadErrors = /does not provide an export named|ERR_MODULE_NOT_FOUND|error: '\w+ is not defined'/

/** On a terminal Node colours the output, which is read here; the context is that of a test that runs the guards. */
const { FORCE_COLOR: _colour, NODE_TEST_CONTEXT: _context, ...environment } = process.env

/** The file is ended at its first failure: code that is broken often leaves the rest waiting. */
export async function runTestFile(file: string, options: TestRunOptions): Promise<TestRun> {
  const { root, temporary, timeoutMs, signal } = options
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', file], {
    cwd: root,
    env: { ...environment, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true
  })
  const closed = once(child, 'close')
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child)
  }, timeoutMs)
  const stop = () => killGroup(child)
  signal.addEventListener('abort', stop)
  let failed: string | undefined
  let unusable: string | undefined
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (loadErrors.test(line)) unusable ??= line.trim()
      // The end of the error that follows the first failure.
      if (failed !== undefined && line.trim() === '...') break
      const [, name] = /^\s*not ok \d+ - (.*)$/.exec(line) ?? []
      if (name === undefined || name.includes('# TODO')) continue
      failed ??= name
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    killGroup(child)
  }
  const [code] = await closed
  if (unusable !== undefined) return { outcome: 'unusable', detail: unusable }
  if (failed !== undefined) return { outcome: 'failed', detail: failed }
  if (timedOut) return { outcome: 'timed out', detail: `no end after ${Math.round(timeoutMs)} ms` }
  return code === 0 ? { outcome: 'passed', detail: '' } : { outcome: 'failed', detail: `exit code ${code}` }
}

/** The test and every process that it has started. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
