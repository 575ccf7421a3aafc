/** The objects that commands are made with, and work with. */
import type { Command } from 'commander'
import type { Io } from './io.ts'
import type { Output } from './output/output.ts'

/** The objects that a command works with. */
export interface Cli {
  readonly io: Io
  readonly out: Output
  readonly err: Output
  /** Ends the command: Ctrl-C, SIGTERM, or a reader that has gone. */
  readonly signal: AbortSignal
}

/** Runs the work of a command, which returns its exit code; without one, 0. */
export type Run = (work: (cli: Cli) => Promise<number | undefined>) => Promise<void>

/** The objects that a command is made with. */
export interface CommandContext {
  readonly program: Command
  readonly io: Io
  readonly run: Run
}
