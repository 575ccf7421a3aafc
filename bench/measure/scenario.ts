/** The interfaces of suites, scenarios and contenders. */
/** Further facts of a measurement, such as the transport and the bytes on the wire. */
export type Facts = Readonly<Record<string, string | number>>

/** A contender that is ready to run. */
export interface Runner {
  /** Works for about this long and gives one value in the scenario's unit. @throws where a result is wrong */
  run(durationMs: number): Promise<number>
  facts?(): Facts
  close(): Promise<void>
}

/** One way to do the work of a scenario. */
export interface Contender {
  readonly name: string
  open(): Promise<Runner>
}

/** One kind of work, done by several contenders. */
export interface Scenario {
  readonly suite: string
  readonly name: string
  readonly unit: 'calls/s' | 'us' | 'ms' | 'us/operation' | 'MiB' | 'MiB/s' | 'bytes/call' | 'round trips'
  readonly better: 'more' | 'less'
  /** Name of the contender that ratios refer to. */
  readonly baseline: string
  readonly contenders: readonly Contender[]
}

/** Length and number of rounds. */
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
