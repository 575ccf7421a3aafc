/**
 * Profiles and environments: sets of options under one name, as data.
 *
 * A profile is known by a number of connections, as pools of HTTP/1.1 have it: the requests that may be under way at a
 * time. On HTTP/2, a connection carries many requests as streams, and a frame carries many calls. So `connections(20)`
 * is a number of connections times a number of streams on each before another one is opened, and the same number of
 * frames in flight. There are two connections at least where there are more than ten streams, so that one that drains or
 * breaks does not hold up all calls; no more than four, because each costs a handshake and a slow start of its own.
 */

/** Options of a preset: plain data in the form of `ClientOptions`. */
export interface Preset {
  /** Why the options are as they are. */
  readonly reasons: string
  readonly options: Readonly<Record<string, unknown>>
}

const maxConnections = 4

/** So many requests at a time. */
function connections(requests: number) {
  const count = Math.min(maxConnections, Math.ceil(requests / 25) + (requests > 10 && requests <= 25 ? 1 : 0))
  return {
    connection: { maxConnections: count, maxStreamsPerConnection: Math.ceil(requests / count) },
    batch: { framesInFlight: requests }
  }
}

/** By name: what a client is used for. */
export const profiles = {
  webhook: {
    reasons:
      '20 requests at a time, 30 s. A handler of webhooks answers a caller that calls again when it fails: four ' +
      'attempts with long waits (up to 2, 4 and 8 s) bridge a restart within the 30 s, and few connections ' +
      'keep a burst of events from taking the server for itself.',
    options: { ...connections(20), timeoutMs: 30_000, retry: { maxAttempts: 4, baseMs: 2000, maxMs: 8000 } }
  },
  storage: {
    reasons:
      '100 requests at a time, 120 s, responses of up to 100 MiB, and eight connections for large blobs. Much content ' +
      'moves, and moving it takes long: the time limit is for slow networks, and large answers are wanted.',
    options: {
      ...connections(100),
      connection: { ...connections(100).connection, maxTransferConnections: 8 },
      timeoutMs: 120_000,
      maxResponseBytes: 100 * 1024 * 1024
    }
  },
  api: {
    reasons:
      '50 requests at a time, 60 s, compression. Many small calls on behalf of people: answers are text that ' +
      'compresses well, and a person waits for a minute at most.',
    options: { ...connections(50), timeoutMs: 60_000, compression: 'auto' }
  },
  monitoring: {
    reasons:
      '10 requests at a time, 10 s, one retry. A probe asks how the service is: it should tell soon that it is bad, ' +
      'and must not add load to a server in trouble. One retry tells a lost packet from an outage.',
    options: { ...connections(10), timeoutMs: 10_000, retry: { maxAttempts: 2 } }
  }
} as const satisfies Readonly<Record<string, Preset>>

/** By name: where a program runs. */
export const environments = {
  production: { reasons: 'The defaults: they are made for it.', options: {} },
  development: {
    reasons:
      'Two attempts and no waiting for a breaker, so that a server that is not running shows at once, and with its own ' +
      'error; 2 s to connect, because the server is near.',
    options: {
      environment: 'development',
      retry: { maxAttempts: 2 },
      breaker: { waitMs: 0 },
      connection: { connectTimeoutMs: 2000, tlsHandshakeTimeoutMs: 2000 }
    }
  },
  testing: {
    reasons:
      'One attempt and no breaker, so that a test sees each failure where it happens; 5 s for a call, so that a test ' +
      'that hangs fails soon.',
    options: {
      environment: 'testing',
      timeoutMs: 5000,
      retry: false,
      breaker: false,
      connection: { connectTimeoutMs: 2000 }
    }
  }
} as const satisfies Readonly<Record<string, Preset>>

/** Name of a profile. */
export type ProfileName = keyof typeof profiles

/** Name of an environment. */
export type EnvironmentName = keyof typeof environments

export const profileNames = Object.keys(profiles) as readonly ProfileName[]
export const environmentNames = Object.keys(environments) as readonly EnvironmentName[]
