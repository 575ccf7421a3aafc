/**
 * The table of options: one row for each, of which everything else is made.
 *
 * To add an option, add its row to the group in `rows/`: its name, and its kind with default and bounds (`row.ts` has
 * the kinds). Its documentation is the comment above the row: meaning, unit, errors; without its default, which is told
 * from the row (`usually` tells it in words where it is no value). Then `npm run generate` writes the interfaces with their
 * documentation (`options/types.ts`, `client/client-options.ts`), `blobwire.schema.json` for editors, and the tables
 * of docs/options.md. The checks read the row itself (`check.ts`), the resolved options have the default in place, and
 * files and the environment know the option by the same name. Hold the default against a client in
 * `test/support/resolved-options.ts`.
 *
 * A new group needs an entry here, too, and a row of kind `group` where it belongs. Functions and objects of functions
 * are rows of kind `code`: files and the environment do not have them.
 */
import type { Rows } from './row.ts'
import { clientRows } from './rows/client.ts'
import { connectionRows, endpointRows, tlsRows } from './rows/connection.ts'
import {
  adaptiveRows,
  batchRows,
  breakerRows,
  concurrencyRows,
  healthCheckRows,
  hedgeRows,
  policyRows,
  retryRows
} from './rows/policies.ts'

/** The rows of each interface of options. */
export const optionTable = {
  ClientOptions: clientRows,
  PolicyOptions: policyRows,
  EndpointOptions: endpointRows,
  ConnectionOptions: connectionRows,
  TlsOptions: tlsRows,
  RetryOptions: retryRows,
  BreakerOptions: breakerRows,
  ConcurrencyOptions: concurrencyRows,
  AdaptiveOptions: adaptiveRows,
  HedgeOptions: hedgeRows,
  HealthCheckOptions: healthCheckRows,
  BatchOptions: batchRows
} as const satisfies Readonly<Record<string, Rows>>

/** All options of a client. */
export const allClientRows = { ...clientRows, ...policyRows } as const satisfies Rows
