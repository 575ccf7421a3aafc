/** Tells an error: a line and a hint, or a line of JSON; with `--debug`, everything. */
import { exitCodeOf, hintOf, isBlobwireError, UsageError } from '../errors.ts'
import type { Output } from './output.ts'

export interface ReportOptions {
  readonly json: boolean
  readonly debug: boolean
  /** The command that was called, such as `blobwire log`. */
  readonly command: string
}

/** Returns the exit code. */
export async function reportError(error: unknown, err: Output, options: ReportOptions): Promise<number> {
  const exitCode = exitCodeOf(error)
  const { message = String(error), stack = '' } = error instanceof Error ? error : {}
  const hint = error instanceof UsageError ? `${options.command} --help shows how it is used` : hintOf(error)
  if (options.json) {
    const known = isBlobwireError(error) ? error.toJSON() : { message }
    await err.json({ error: { ...known, ...(options.debug ? { stack } : {}), hint, exitCode } })
    return exitCode
  }
  const lines = [`${err.paint('red', 'blobwire:')} ${err.text(message)}`]
  if (hint !== undefined) lines.push(`${err.paint('dim', 'hint:')} ${hint}`)
  if (options.debug) {
    if (isBlobwireError(error)) lines.push(err.text(JSON.stringify(error, undefined, 2)))
    lines.push(err.text(stack))
    for (let cause = (error as Error)?.cause; cause instanceof Error; cause = cause.cause)
      lines.push(err.text(`cause: ${cause.stack}`))
  }
  await err.line(lines.join('\n'))
  return exitCode
}
