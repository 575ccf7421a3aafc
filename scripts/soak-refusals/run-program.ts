/** Runs the programs of the clients. */
import { execFile } from 'node:child_process'

/** The output of a program; its exit code is no error. @throws Error where it does not end within ten minutes */
export function runProgram(
  path: string,
  args: readonly string[]
): Promise<{ stdout: string; stderr: string; code: number }> {
  return new Promise((resolve, reject) => {
    execFile(path, args, { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error?.killed) reject(new Error(`${path} did not end within ten minutes`))
      else resolve({ stdout, stderr, code: Number(error?.code ?? 0) })
    })
  })
}
