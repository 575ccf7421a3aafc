/** The project's performance targets, and their evaluation. */
import type { Measured, ScenarioResult } from '../measure/rounds.ts'

/** One performance target; `value` finds its measurement in the results. */
export interface Target {
  readonly text: string
  readonly needed: string
  value(find: Find): number | undefined
  met(value: number): boolean
}

/** The evaluation of a target; `value` is undefined where its suite was not run. */
export interface TargetResult {
  readonly text: string
  readonly needed: string
  readonly value: number | undefined
  readonly met: boolean | undefined
}

type Find = (scenario: string, contender: string) => Measured | undefined

const single = (concurrency: number) => `storeBlob of 50 B, concurrency ${concurrency}`
const us = 'blobwire, MessagePack'

interface Comparison {
  readonly scenario: string
  readonly ours?: string
  readonly theirs: string
}

/** A target for the ratio of two contenders. */
function atLeast(text: string, factor: number, { scenario, ours = us, theirs }: Comparison): Target {
  return {
    text,
    needed: `at least ${factor}x`,
    value: (find) => quotient(find(scenario, ours), find(scenario, theirs)),
    met: (value) => value >= factor
  }
}

function atMost(text: string, factor: number, comparison: Comparison): Target {
  return { ...atLeast(text, factor, comparison), needed: `at most ${factor}x`, met: (value) => value <= factor }
}

function quotient(ours: Measured | undefined, theirs: Measured | undefined): number | undefined {
  return ours && theirs ? ours.median / theirs.median : undefined
}

function below(
  text: string,
  limit: number,
  { scenario, contender, unit }: Record<'scenario' | 'contender' | 'unit', string>
): Target {
  return {
    text,
    needed: `at most ${limit} ${unit}`,
    value: (find) => find(scenario, contender)?.median,
    met: (value) => value <= limit
  }
}

/** Least rise in cost that counts: medians on a shared machine differ by as much between runs. */
const noise = 1.15

/** A target for the largest rise in cost from one size to the next; costs are in microseconds. */
function neverRises(text: string, costs: (find: Find) => (number | undefined)[]): Target {
  return {
    text,
    needed: `no step up of more than ${Math.round((noise - 1) * 100)} % (noise)`,
    value(find) {
      const row = costs(find).filter((cost) => cost !== undefined)
      const steps = row.slice(1).map((cost, index) => cost / (row[index] as number))
      return steps.length > 0 ? Math.max(...steps) : undefined
    },
    met: (value) => value <= noise
  }
}

const sizes = [1, 10, 100, 1000]
const endToEnd = (label: string) => `storeBlob of ${label} random bytes, end to end, concurrency 16, no gzip`
const bytesACall = (measured: Measured | undefined) => measured?.facts['bytes sent a call'] as number | undefined

function fewerBytes(label: string): Target {
  return {
    text: `MessagePack against JSON, ${label} random bytes: bytes sent`,
    needed: 'at most 0.8x (JSON a quarter more)',
    value(find) {
      const [ours, theirs] = [us, 'blobwire, JSON'].map((name) => bytesACall(find(endToEnd(label), name)))
      return ours && theirs ? ours / theirs : undefined
    },
    met: (value) => value <= 0.8
  }
}

const overRepositories = (kind: string) => `storeBlob over 50 repositories, ${kind} store, concurrency 100`
const msAPack = (measured: Measured | undefined) => measured?.facts['ms a pack'] as number | undefined

const tls = 'storeBlob of 50 B, one after the other, TLS'
const memory = 'heap allocated in the client for a storeBlob of 50 B, concurrency 100'
const store = 'storeBlob of 50 B, concurrency 100, by what the store holds already'

const large = (direction: string) => `1024 MiB ${direction}, loopback, memory store, verified at both ends`
const far = (direction: string, ms: number) => `64 MiB ${direction}, ${ms} ms of round trip added`
const labels = [us, 'blobwire, JSON', 'blobwire, gRPC']

function largeBlobs(): Target[] {
  return ['up', 'down'].flatMap((direction) => [
    ...labels.map((ours) =>
      atLeast(`a blob of 1 GiB ${direction}, against node:http2: ${ours}`, 0.7, {
        scenario: large(direction),
        ours,
        theirs: 'node:http2'
      })
    ),
    ...['grpc-js', 'connect-node'].flatMap((theirs) =>
      labels.map((ours) =>
        atLeast(`64 MiB ${direction} at 20 ms, against ${theirs}: ${ours}`, 30, {
          scenario: far(direction, 20),
          ours,
          theirs
        })
      )
    )
  ])
}

const postgres = 'PostgreSQL store'

/** What many servers on one database gain, and what they may cost. */
function manyServers(): Target[] {
  const rates = (text: string, factor: number, load: string) =>
    atLeast(`PostgreSQL store against the Git store before request keys: ${text}`, factor, {
      scenario: `${load}, durable`,
      ours: postgres,
      theirs: 'Git store, before'
    })
  return [
    rates('storeBlob', 4, 'storeBlob of 50 B, 100 writers'),
    rates('moves of refs', 40, 'updateRefs, 100 writers of a ref each'),
    rates('commits on 50 branches', 6, 'commitFiles of one file, 50 branches at once'),
    rates('commits of one writer', 3, 'commitFiles of one file, one writer'),
    rates('getBlob', 0.7, 'getBlob of 50 B, 100 readers'),
    atMost('… disk of a dependency tree, against a pack with deltas', 1.5, {
      scenario: 'disk of a dependency tree',
      ours: postgres,
      theirs: 'Git store'
    }),
    below('a commit by one writer, 5 ms added between server and database', 25, {
      scenario: 'commitFiles of one file, one writer, 5 ms added between server and database',
      contender: '5 ms away',
      unit: 'ms'
    }),
    below('a move of a ref, seen by watches at another server: p99', 500, {
      scenario: '20 watches, a ref moved 100 times a second: p99 from the call to each watch',
      contender: 'at another server',
      unit: 'ms'
    })
  ]
}

const clone = 'clone of 10,000 objects, bare'
const stores = ['Git store', 'memory store', postgres] as const

/** What clones take, and what they cost the callers of the API. */
function clones(): Target[] {
  return stores.flatMap((ours) => [
    atMost(`git clone of 10,000 objects, against git daemon: ${ours}`, 1.5, {
      scenario: clone,
      ours,
      theirs: 'git daemon'
    }),
    atMost(`p99 of commits of 100 callers beside 20 clones, against alone: ${ours}`, 3, {
      scenario: `commits of 100 callers, ${ours}: p99`,
      ours: '20 clones at once',
      theirs: 'without clones'
    })
  ])
}

/** All targets. */
const targets: readonly Target[] = [
  atLeast('calls a second at 100 callers, against grpc-js unary', 25, {
    scenario: single(100),
    theirs: 'grpc-js unary'
  }),
  atLeast('… against tRPC’s batch link', 8, { scenario: single(100), theirs: 'tRPC batch link' }),
  atLeast('… against undici JSON, one request a call', 6, { scenario: single(100), theirs: 'undici JSON' }),
  atLeast('… against connect-node, JSON', 40, { scenario: single(100), theirs: 'connect-node, JSON' }),
  atLeast('… against a raw TCP echo', 0.5, { scenario: single(100), theirs: 'raw TCP echo' }),
  atLeast('calls a second at 1,000 callers, against a raw TCP echo', 1, {
    scenario: single(1000),
    theirs: 'raw TCP echo'
  }),
  atMost('time of a lone call, against grpc-js unary', 0.4, { scenario: single(1), theirs: 'grpc-js unary' }),
  atMost('… against a raw TCP echo', 2.5, { scenario: single(1), theirs: 'raw TCP echo' }),
  atLeast('with all layers, against batches and transport alone', 0.9, {
    scenario: 'storeBlob of 50 B, concurrency 100, with and without the layers',
    theirs: 'batches and transport alone'
  }),
  ...[100, 1000].map((size) =>
    below(`an operation in a batch of ${size}`, size === 100 ? 5 : 4, {
      scenario: `batch of ${size} blobs of 50 B, one batch after the other`,
      contender: us,
      unit: 'us'
    })
  ),
  atLeast('gRPC transport at 100 callers, against grpc-js unary', 10, {
    scenario: single(100),
    ours: 'blobwire, gRPC',
    theirs: 'grpc-js unary'
  }),
  atLeast('JSON transport at 100 callers, against connect-node, JSON', 20, {
    scenario: single(100),
    ours: 'blobwire, JSON',
    theirs: 'connect-node, JSON'
  }),
  atLeast('MessagePack against JSON, 10 KiB of random bytes', 2, {
    scenario: endToEnd('10 Ki'),
    theirs: 'blobwire, JSON'
  }),
  atLeast('MessagePack against JSON, 1 MiB of random bytes', 4, {
    scenario: endToEnd('1 Mi'),
    theirs: 'blobwire, JSON'
  }),
  fewerBytes('10 Ki'),
  fewerBytes('1 Mi'),
  {
    text: 'one connection against a new one for each call, TLS',
    needed: 'at least 5x',
    value: (find) => quotient(find(tls, 'a new connection for each call'), find(tls, 'one connection')),
    met: (value) => value >= 5
  },
  atLeast('calls a second over 50 repositories against one, memory store', 0.7, {
    scenario: overRepositories('memory'),
    ours: '50 repositories',
    theirs: 'one repository'
  }),
  {
    text: 'time for each pack, 50 repositories against one, Git store',
    needed: 'at most 1x (no slower)',
    value(find) {
      const [many, one] = ['50 repositories', 'one repository'].map((name) =>
        msAPack(find(overRepositories('git'), name))
      )
      return many && one ? many / one : undefined
    },
    met: (value) => value <= 1
  },
  ...largeBlobs(),
  ...manyServers(),
  ...clones(),
  ...(['msgpack', 'json', 'grpc'] as const).map((transport) =>
    atMost(`p99 of small reads beside a giant download, against alone, ${transport}`, 2, {
      scenario: `p99 of getBlob of 5 B, 100 callers, beside a giant download, ${transport}`,
      ours: 'beside',
      theirs: 'alone'
    })
  ),
  {
    text: 'a dependency tree as one durable commit, against git add, commit, push',
    needed: 'at least 5x',
    value(find) {
      const [theirs, ours] = ['git add, commit, push', 'client, commitFiles'].map((name) =>
        find('a dependency tree as one durable commit', name)
      )
      return quotient(theirs, ours)
    },
    met: (value) => value >= 5
  },
  below('heap allocated in the client for a call', 2048, { scenario: memory, contender: us, unit: 'bytes' }),
  neverRises('cost of a call from 1 to 1,000 callers', (find) =>
    sizes.map((size) => {
      const middle = find(single(size), us)?.median
      return middle === undefined || size === 1 ? middle : 1e6 / middle
    })
  ),
  neverRises('cost of an operation in batches of 1 to 1,000', (find) =>
    sizes.map((size) => find(`batch of ${size} blobs of 50 B, one batch after the other`, us)?.median)
  ),
  neverRises('cost of a call on a store of 1,000 to 1,000,000 objects', (find) =>
    [1e3, 1e4, 1e5, 1e6].map((count) => find(store, `${count.toLocaleString('en')} objects`)?.median)
  )
]

/** Evaluates the targets. */
export function evaluate(results: readonly ScenarioResult[]): TargetResult[] {
  const find: Find = (scenario, contender) =>
    results.find(({ name }) => name === scenario)?.contenders.find(({ name }) => name === contender)
  return targets.map(({ text, needed, value, met }) => {
    const found = value(find)
    return { text, needed, value: found, met: found === undefined ? undefined : met(found) }
  })
}
