/** `WarningFunctions` of observing.ts on Node. */

export function emitWarning(problem: string, exception: unknown): void {
  const detail = exception instanceof Error ? (exception.stack ?? exception.message) : String(exception)
  process.emitWarning(problem, { type: 'BlobwireWarning', detail })
}
