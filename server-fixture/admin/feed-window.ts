/** The last seconds of a server: snapshots of its figures, and the differences between them. */
import type { Readiness } from '../health/health.ts'
import type { MethodFigures } from '../metrics/call-table.ts'
import { addHistograms, countOf, type HistogramFigures, noDurations, percentileMs } from '../metrics/histogram.ts'
import type { CallTransport, MessageFigures, ServerFigures, TransportFigures } from '../metrics/snapshot.ts'
import type {
  FeedDestination,
  FeedError,
  FeedListener,
  FeedMethod,
  FeedRepository,
  FeedSnapshot,
  FeedTransport
} from './feed-snapshot.ts'

/** Latencies and errors are of so many snapshots: those of one second jump. */
const windowLength = 10
const maxMethods = 20
const maxErrors = 20
const maxRepositories = 10

/** The figures at one time. */
export interface Sighting {
  readonly atMs: number
  readonly figures: ServerFigures
  readonly repositories: Readonly<Record<string, number>>
}

/** A method over all transports, at the beginning and the end of a time. */
interface MethodChange {
  ok: number
  failed: number
  durations: HistogramFigures
}

type Described = Omit<FeedSnapshot, 'time' | 'serverVersion' | 'uptimeSeconds' | 'slowCalls'>

const largest = <Item>(items: readonly Item[], of: (item: Item) => number, count: number): Item[] =>
  [...items].sort((a, b) => of(b) - of(a)).slice(0, count)

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0)

const failuresOf = ({ failures }: MethodFigures) => sum(Object.values(failures))

/** Calls of all transports by method. */
function methodsOf({ transports }: ServerFigures): Map<string, MethodChange> {
  const methods = new Map<string, MethodChange>()
  for (const { calls } of Object.values(transports)) {
    for (const [name, figures] of Object.entries(calls)) {
      const found = methods.get(name) ?? { ok: 0, failed: 0, durations: noDurations }
      found.ok += figures.ok
      found.failed += failuresOf(figures)
      found.durations = addHistograms(found.durations, figures.durations)
      methods.set(name, found)
    }
  }
  return methods
}

function errorsOf({ transports }: ServerFigures): Map<string, number> {
  const errors = new Map<string, number>()
  for (const { calls } of Object.values(transports)) {
    for (const { failures } of Object.values(calls)) {
      for (const [outcome, count] of Object.entries(failures)) errors.set(outcome, (errors.get(outcome) ?? 0) + count)
    }
  }
  return errors
}

function callsOf({ calls }: TransportFigures): { readonly all: number; readonly failed: number } {
  const failed = sum(Object.values(calls).map(failuresOf))
  return { all: failed + sum(Object.values(calls).map(({ ok }) => ok)), failed }
}

const compressionRatio = (messages: readonly MessageFigures[]) => {
  const wireBytes = sum(messages.map((of) => of.wireBytes))
  return wireBytes === 0 ? 1 : sum(messages.map((of) => of.plainBytes)) / wireBytes
}

/** Keeps the last snapshots. */
export class FeedWindow {
  readonly #sightings: Sighting[] = []

  add(sighting: Sighting): void {
    this.#sightings.push(sighting)
    if (this.#sightings.length > windowLength + 1) this.#sightings.shift()
  }

  /** The last snapshot against those before it; the first one, against itself, has rates of 0. */
  describe({ ready, checks }: Readiness, isDraining: boolean): Described {
    const last = this.#sightings.at(-1) as Sighting
    const before = this.#sightings.at(-2) ?? last
    const first = this.#sightings[0] as Sighting
    const seconds = Math.max(0.001, (last.atMs - before.atMs) / 1000)
    const rate = (value: (figures: ServerFigures) => number) => (value(last.figures) - value(before.figures)) / seconds
    const { figures } = last
    const transports = describeTransports(figures, rate)
    const changed = changedMethods(first.figures, figures)
    const durations = changed.reduce((all, [, change]) => addHistograms(all, change.durations), noDurations)
    const delays = addHistograms(figures.loopDelay, first.figures.loopDelay, -1)
    const active = rate(({ process }) => process.loopActiveSeconds)
    const idle = rate(({ process }) => process.loopIdleSeconds)
    const { residentBytes, heapUsedBytes, heapLimitBytes, openFiles, processes } = figures.process
    return {
      processes,
      state: isDraining ? 'draining' : ready ? 'ready' : 'not_ready',
      checks: Object.entries(checks).map(([name, check]) => ({ name, ...check })),
      windowMs: last.atMs - first.atMs,
      callsPerSecond: sum(transports.map((transport) => transport.callsPerSecond)),
      errorsPerSecond: sum(transports.map((transport) => transport.errorsPerSecond)),
      inFlight: sum(transports.map(({ inFlight }) => inFlight)),
      latency: {
        p50Ms: percentileMs(durations, 0.5),
        p90Ms: percentileMs(durations, 0.9),
        p95Ms: percentileMs(durations, 0.95),
        p99Ms: percentileMs(durations, 0.99)
      },
      methods: describeMethods(changed, Math.max(0.001, (last.atMs - first.atMs) / 1000)),
      transports,
      listeners: describeListeners(figures, rate),
      errors: describeErrors(errorsOf(first.figures), errorsOf(figures)),
      repositories: describeRepositories(before, last, seconds),
      queues: figures.queues,
      memory: figures.memory,
      uploads: figures.uploads,
      destinations: describeDestinations(figures),
      storeSteps: describeSteps(first, last),
      eventLoop: {
        utilization: active + idle > 0 ? active / (active + idle) : 0,
        delayP99Ms: percentileMs(delays, 0.99)
      },
      process: {
        cores: rate(({ process }) => process.cpuUserSeconds + process.cpuSystemSeconds),
        residentBytes,
        heapUsedBytes,
        heapLimitBytes,
        openFiles
      },
      droppedLogLines: figures.accessLog.dropped
    }
  }
}

function describeDestinations({ webhooks }: ServerFigures): FeedDestination[] | undefined {
  const all = Object.entries(webhooks).map(([name, figures]) => ({ name, ...figures }))
  return all.length === 0 ? undefined : all
}

type Rate = (value: (figures: ServerFigures) => number) => number

function describeTransports({ transports }: ServerFigures, rate: Rate): FeedTransport[] {
  return Object.entries(transports).map(([name, { sessions, streams, inFlight, received, sent }]) => {
    const transport = name as CallTransport
    const of = (figures: ServerFigures) => callsOf(figures.transports[transport])
    return {
      transport,
      callsPerSecond: rate((figures) => of(figures).all),
      errorsPerSecond: rate((figures) => of(figures).failed),
      sessions,
      streams,
      inFlight,
      compressionRatio: compressionRatio([received, sent])
    }
  })
}

function describeListeners({ connections }: ServerFigures, rate: Rate): FeedListener[] {
  return Object.entries(connections).map(([listener, { open }]) => ({
    listener,
    open,
    openedPerSecond: rate((figures) => figures.connections[listener]?.opened ?? 0),
    receivedBytesPerSecond: rate((figures) => figures.connections[listener]?.receivedBytes ?? 0),
    sentBytesPerSecond: rate((figures) => figures.connections[listener]?.sentBytes ?? 0)
  }))
}

function changedMethods(before: ServerFigures, after: ServerFigures): [string, MethodChange][] {
  const earlier = methodsOf(before)
  const changes = Array.from(methodsOf(after), ([name, now]): [string, MethodChange] => {
    const then = earlier.get(name) ?? { ok: 0, failed: 0, durations: noDurations }
    const durations = addHistograms(now.durations, then.durations, -1)
    return [name, { ok: now.ok - then.ok, failed: now.failed - then.failed, durations }]
  })
  return changes.filter(([, { ok, failed }]) => ok + failed > 0)
}

function describeMethods(changes: readonly [string, MethodChange][], seconds: number): FeedMethod[] {
  const methods = changes.map(([name, { ok, failed, durations }]) => ({
    name,
    perSecond: (ok + failed) / seconds,
    errorsPerSecond: failed / seconds,
    p50Ms: percentileMs(durations, 0.5),
    p99Ms: percentileMs(durations, 0.99)
  }))
  return largest(methods, ({ perSecond }) => perSecond, maxMethods)
}

function describeErrors(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): FeedError[] {
  const errors = Array.from(after, ([outcome, count]) => {
    const [code = '', reason = ''] = outcome.split('/')
    return { code, reason, count: count - (before.get(outcome) ?? 0) }
  })
  return largest(
    errors.filter(({ count }) => count > 0),
    ({ count }) => count,
    maxErrors
  )
}

/** A repository that was forgotten meanwhile, and counted anew, has no rate. */
function describeRepositories(before: Sighting, last: Sighting, seconds: number): FeedRepository[] {
  const callsBefore = (name: string) =>
    Object.hasOwn(before.repositories, name) ? Number(before.repositories[name]) : 0
  const rates = Object.entries(last.repositories).map(([repository, calls]) => ({
    repository,
    callsPerSecond: Math.max(0, calls - callsBefore(repository)) / seconds
  }))
  return largest(
    rates.filter(({ callsPerSecond }) => callsPerSecond > 0),
    ({ callsPerSecond }) => callsPerSecond,
    maxRepositories
  )
}

function describeSteps(first: Sighting, last: Sighting): FeedMethod[] {
  const seconds = Math.max(0.001, (last.atMs - first.atMs) / 1000)
  return Object.entries(last.figures.store).map(([name, figures]) => {
    const durations = addHistograms(figures, first.figures.store[name] ?? noDurations, -1)
    return {
      name,
      perSecond: countOf(durations) / seconds,
      errorsPerSecond: 0,
      p50Ms: percentileMs(durations, 0.5),
      p99Ms: percentileMs(durations, 0.99)
    }
  })
}
