/** A worker ended before it served. It has said why on standard error. */
export class StartFailed extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('a worker did not start')
    this.exitCode = exitCode
  }
}
