import type { UnframedCounters } from '../core/counters.ts'

/** Why a call cannot travel in a frame; see `UnframedCounters`. */
export type UnframedReason = keyof UnframedCounters

/** How batches travel, as `client.stats()` tells it. */
export type BatchingMode = 'session' | 'unary'
