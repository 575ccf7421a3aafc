/** `WarningFunctions` of observing.ts on the console. */
export function emitWarning(problem: string, exception: unknown): void {
  console.warn(`blobwire: ${problem}`, exception)
}
