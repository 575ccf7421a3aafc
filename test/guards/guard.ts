/** One entry of the guard lists: a check in the code, and the tests that fail without it. */

/**
 * `npm run test:guards` replaces `from` by `to` in a copy of the repository, and expects that one of the tests fails.
 * Each file of this directory has a list of one area, `guards`.
 */
export interface Guard {
  /** The promise that the guard holds. */
  readonly name: string
  /** The file of the guard, from the root of the repository. */
  readonly file: string
  /** Text that occurs exactly once in the file. */
  readonly from: string
  /** The same text with the guard broken. The file must still parse. */
  readonly to: string
  /** Test files, from the root of the repository; they run in this order until one fails. */
  readonly tests: readonly string[]
  /**
   * Broken, the guard leaves its tests waiting: running out of time counts as a failure.
   *
   * @default false
   */
  readonly mayHang?: boolean
}
