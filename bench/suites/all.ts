/** The list of all suites. */
import type { Suite } from '../measure/scenario.ts'
import { batches } from './batches.ts'
import { checkout } from './checkout.ts'
import { codecs } from './codecs.ts'
import { compression } from './compression.ts'
import { connections } from './connections.ts'
import { headers, repositories } from './frames.ts'
import { gitHttp } from './git-http.ts'
import { gitStore } from './git-store.ts'
import { housekeeping } from './housekeeping.ts'
import { memory } from './memory.ts'
import { oneBranch } from './one-branch.ts'
import { pipeline } from './pipeline.ts'
import { roundTrips } from './round-trips.ts'
import { singleCalls } from './single-calls.ts'
import { sizes } from './sizes.ts'
import { storeSize } from './store-size.ts'
import { storesSuite } from './stores.ts'
import { storesDisk } from './stores-disk.ts'
import { storesFar } from './stores-far.ts'
import { storesWatch } from './stores-watch.ts'
import { streams } from './streams.ts'
import { telemetry } from './telemetry.ts'
import { thousandFiles } from './thousand-files.ts'
import { treeCommit } from './tree-commit.ts'
import { watch } from './watch.ts'
import { webhooks } from './webhooks.ts'

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [
  singleCalls,
  batches,
  headers,
  repositories,
  roundTrips,
  codecs,
  compression,
  connections,
  memory,
  pipeline,
  telemetry,
  storeSize,
  streams,
  sizes,
  gitStore,
  gitHttp,
  storesSuite,
  storesDisk,
  storesFar,
  storesWatch,
  housekeeping,
  oneBranch,
  thousandFiles,
  treeCommit,
  checkout,
  webhooks,
  watch
]
