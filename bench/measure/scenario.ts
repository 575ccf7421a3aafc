/** What was measured and is worth telling beside the figure: the transport that was used, bytes on the wire. */
export type Facts = Readonly<Record<string, string | number>>

/** A contender that is ready to run. */
export interface Runner {
  /** Works for about this long and gives one value in the scenario's unit. @throws where a result is wrong */
  run(durationMs: number): Promise<number>
  facts?(): Facts
  close(): Promise<void>
}

/** One of those that do the same work. */
export interface Contender {
  readonly name: string
  open(): Promise<Runner>
}

/** The same work, done by several. */
export interface Scenario {
  readonly suite: string
  readonly name: string
  readonly unit: 'calls/s' | 'us' | 'us/operation' | 'MiB/s' | 'bytes/call' | 'round trips'
  readonly better: 'more' | 'less'
  /** Name of the contender that ratios refer to. */
  readonly baseline: string
  readonly contenders: readonly Contender[]
}

/** How long and how often. */
export interface Effort {
  readonly rounds: number
  readonly roundMs: number
  readonly warmUpMs: number
  /** Leaves out the largest sizes. */
  readonly quick: boolean
}

/** A suite: its name on the command line, and its scenarios. */
export interface Suite {
  readonly name: string
  readonly about: string
  scenarios(effort: Effort): readonly Scenario[]
}
