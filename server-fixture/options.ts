/** The command line of the server. */
import { openSync, writeSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { defaultLimits, type Limits } from '../src/schema/default-limits.ts'
import { type Grant, readGrants } from './auth.ts'
import { databaseOf } from './database-options.ts'
import { Faults } from './faults/faults.ts'
import { FaultScriptError, readFaultScript } from './faults/rules.ts'
import type { TlsFiles } from './listener.ts'
import { MemoryBudget } from './memory-budget.ts'
import { readPushOptions } from './push/push-options.ts'
import type { ServerOptions } from './server.ts'
import { readFlagFile, UsageError } from './usage-error.ts'

/** All flags, as `--help` shows them. */
export const usage = `usage: npm run server -- [flags]
  --http-port N      port of the HTTP server, 0 = any free port (default 4100)
  --grpc-port N      port of the gRPC server, 0 = any free port (default 4101)
  --host H           address to listen on (default 127.0.0.1)
  --store S          memory, git or postgres (default memory)
  --data DIR         directory of the git store, or of the embedded database
  --database URL[,URL…]  database of the postgres store: standbys of one primary, or entry points of one cluster;
                     embedded = the database that npm brings, shared by servers with the same --data (docs/operating.md)
  --database-password-file FILE  password of the database, read for each connection (default: the variable PGPASSWORD)
  --workers N|auto   processes that serve both ports together, auto = one for each core; postgres store only (docs/replicas.md)
  --housekeeping on|off    whether the git store joins packs in the background (default on)
  --grace-period-hours N   time that new objects survive every git gc, reached by a ref or not (default 336)
  --token T          bearer token with all rights
  --tokens FILE      JSON list of { token, name?, access: "read"|"write"|"none", repositories: ["name", "team/*", "*"],
                     operate?: true, expires? }; operate = metrics, dashboard and details of health
  --tracing          traces with the OpenTelemetry SDK that the process has, such as by node --import ./otel.mjs
  --webhooks FILE    where moves of refs are told as push events, YAML or JSON (docs/webhooks.md)
  --admin-port N     port for metrics, dashboard and health without a token, 0 = any free port (default: none)
  --admin-host H     address of the admin port (default 127.0.0.1)
  --tls-cert FILE    certificate chain (PEM), together with
  --tls-key FILE     its private key (PEM)
  --client-ca FILE   require client certificates of this authority (PEM)
  --max-in-flight-bytes N             bytes that all requests in flight hold together (default 64 MiB)
  --max-connection-in-flight-bytes N  the same of one connection (default 32 MiB)
  --max-upload-bytes N     bytes that unfinished uploads of large blobs hold together (default 20 GiB)
  --upload-idle-seconds N  time after which an upload is removed that received nothing (default 86400)
  --headers-timeout-ms N   time for handshakes and headers (default 10000)
  --body-timeout-ms N      time for a body or message (default 30000)
  --idle-timeout-ms N      time that a connection or stream may do nothing (default 120000)
  --call-timeout-ms N      time for a call without a deadline (default 120000)
  --min-free-bytes N       free bytes on the disk of the data, with fewer of which the server is not ready (default 256 MiB)
  --access-log FILE        a line of JSON for each request and frame; - = standard output, stderr = standard error
  --access-log-detail D    frames, or operations for a line for each operation of a frame (default frames)
  --faults FILE      faults to make (docs/testing.md)
  --effect-log FILE  write one line of JSON for each change of the store`

const flags = {
  'http-port': { type: 'string', default: '4100' },
  'grpc-port': { type: 'string', default: '4101' },
  host: { type: 'string', default: '127.0.0.1' },
  tracing: { type: 'boolean' },
  webhooks: { type: 'string' },
  'admin-port': { type: 'string' },
  'admin-host': { type: 'string' },
  store: { type: 'string', default: 'memory' },
  data: { type: 'string' },
  database: { type: 'string' },
  'database-password-file': { type: 'string' },
  workers: { type: 'string' },
  housekeeping: { type: 'string' },
  'grace-period-hours': { type: 'string' },
  token: { type: 'string' },
  tokens: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'client-ca': { type: 'string' },
  'max-in-flight-bytes': { type: 'string' },
  'max-connection-in-flight-bytes': { type: 'string' },
  'max-upload-bytes': { type: 'string' },
  'upload-idle-seconds': { type: 'string' },
  'headers-timeout-ms': { type: 'string' },
  'body-timeout-ms': { type: 'string' },
  'idle-timeout-ms': { type: 'string' },
  'call-timeout-ms': { type: 'string' },
  'min-free-bytes': { type: 'string' },
  'access-log': { type: 'string' },
  'access-log-detail': { type: 'string' },
  faults: { type: 'string' },
  'effect-log': { type: 'string' },
  help: { type: 'boolean', default: false }
} as const

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: flags, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function portOf(name: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text)
  throw new UsageError(`--${name} ${JSON.stringify(text)}: must be a port from 0 to 65535`)
}

function countOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError(`--${name} ${JSON.stringify(text)}: must be a positive integer`)
}

/** The limits that have flags. */
const limitFlags = {
  'max-in-flight-bytes': 'maxInFlightBytes',
  'max-connection-in-flight-bytes': 'maxConnectionInFlightBytes',
  'max-upload-bytes': 'maxUploadBytes',
  'upload-idle-seconds': 'uploadIdleSeconds'
} as const satisfies Record<string, keyof Limits>
/** The capabilities tell it in 32 bits. */
const maxIdleSeconds = 2 ** 32 - 1

function limitsOf(values: ReturnType<typeof parse>): Partial<Limits> {
  const limits: { -readonly [Name in keyof Limits]?: Limits[Name] } = {}
  for (const [flag, limit] of Object.entries(limitFlags)) {
    const count = countOf(flag, values[flag as keyof typeof limitFlags])
    if (count !== undefined) limits[limit] = count
  }
  if ((limits.uploadIdleSeconds ?? 0) > maxIdleSeconds) {
    throw new UsageError(`--upload-idle-seconds ${limits.uploadIdleSeconds}: must be at most ${maxIdleSeconds}`)
  }
  try {
    new MemoryBudget({ ...defaultLimits, ...limits })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  return limits
}

/** Of the Git store; undefined = none is given. */
function gitStoreOf(values: ReturnType<typeof parse>): ServerOptions['gitStore'] {
  const { store, housekeeping, 'grace-period-hours': hours } = values
  if (housekeeping === undefined && hours === undefined) return undefined
  const first = housekeeping === undefined ? 'grace-period-hours' : 'housekeeping'
  if (store !== 'git') throw new UsageError(`--${first} requires --store git`)
  if (housekeeping !== undefined && housekeeping !== 'on' && housekeeping !== 'off')
    throw new UsageError(`--housekeeping ${JSON.stringify(housekeeping)}: must be on or off`)
  if (hours !== undefined && !/^\d{1,6}$/.test(hours))
    throw new UsageError(`--grace-period-hours ${JSON.stringify(hours)}: must be a number of hours, 0 = none`)
  return {
    ...(housekeeping === undefined ? {} : { housekeeping: housekeeping === 'on' }),
    ...(hours === undefined ? {} : { gracePeriodHours: Number(hours) })
  }
}

/** Undefined = the process serves by itself. */
function workersOf({ store, workers }: ReturnType<typeof parse>): number | undefined {
  if (workers === undefined) return undefined
  if (store !== 'postgres') throw new UsageError('--workers requires --store postgres: processes share no other store')
  if (workers === 'auto') return availableParallelism()
  if (/^[1-9]\d{0,2}$/.test(workers)) return Number(workers)
  throw new UsageError(`--workers ${JSON.stringify(workers)}: must be auto or a number of processes from 1 to 999`)
}

function adminOf(values: ReturnType<typeof parse>): Pick<ServerOptions, 'adminPort' | 'adminHost'> {
  const { 'admin-port': port, 'admin-host': host } = values
  if (port === undefined && host !== undefined) throw new UsageError('--admin-host requires --admin-port')
  return { adminPort: port === undefined ? undefined : portOf('admin-port', port), adminHost: host }
}

/** Loaded on demand: who does not trace needs no OpenTelemetry. */
async function tracingOf(): Promise<ServerOptions['tracing']> {
  const { registeredTracing } = await import('./tracing/server-tracing.ts')
  return registeredTracing()
}

function accessLogOf(values: ReturnType<typeof parse>): Pick<ServerOptions, 'accessLog' | 'accessLogDetail'> {
  const { 'access-log': accessLog, 'access-log-detail': detail } = values
  if (detail === undefined) return { accessLog }
  if (accessLog === undefined) throw new UsageError('--access-log-detail requires --access-log')
  if (detail === 'frames' || detail === 'operations') return { accessLog, accessLogDetail: detail }
  throw new UsageError(`--access-log-detail ${JSON.stringify(detail)}: must be frames or operations`)
}

async function tlsOf(values: ReturnType<typeof parse>): Promise<TlsFiles | undefined> {
  const { 'tls-cert': cert, 'tls-key': key, 'client-ca': ca } = values
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--tls-cert and --tls-key must be given together')
  if (cert === undefined || key === undefined) {
    if (ca !== undefined) throw new UsageError('--client-ca requires --tls-cert and --tls-key')
    return undefined
  }
  return {
    cert: await readFlagFile('tls-cert', cert),
    key: await readFlagFile('tls-key', key),
    ...(ca === undefined ? {} : { ca: await readFlagFile('client-ca', ca) }),
    requestCert: ca !== undefined,
    rejectUnauthorized: ca !== undefined
  }
}

async function grantsOf(values: ReturnType<typeof parse>): Promise<Grant[]> {
  const grants: Grant[] = []
  if (values.token !== undefined) {
    if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(values.token)) {
      throw new UsageError('--token: must be a bearer token: letters, digits and -._~+/, with = at the end')
    }
    grants.push({ token: values.token, name: '--token', access: 'write', repositories: ['*'], operate: true })
  }
  if (values.tokens === undefined) return grants
  try {
    const read = await readGrants(values.tokens)
    if (read.length === 0) throw new Error('must contain at least one token')
    return [...grants, ...read]
  } catch (error) {
    throw new UsageError(`--tokens: ${(error as Error).message}`)
  }
}

async function faultsOf({ faults }: ReturnType<typeof parse>): Promise<Faults | undefined> {
  if (faults === undefined) return undefined
  const text = (await readFlagFile('faults', faults)).toString()
  try {
    return new Faults(readFaultScript(text))
  } catch (error) {
    throw error instanceof FaultScriptError ? new UsageError(`--faults ${faults}: ${error.message}`) : error
  }
}

function effectLog(file: string | undefined): ServerOptions['onEffect'] {
  if (file === undefined) return undefined
  const log = openSync(file, 'a')
  return (effect) => writeSync(log, `${JSON.stringify(effect)}\n`)
}

/** The command line. */
export interface CommandLine extends ServerOptions {
  /** Undefined = one process, without a primary. */
  readonly workers?: number | undefined
}

/** Reads the command line; undefined = `--help`. @throws UsageError */
export async function readOptions(args: string[]): Promise<CommandLine | undefined> {
  const values = parse(args)
  if (values.help) return undefined
  const { store, data, database } = values
  if (store !== 'memory' && store !== 'git' && store !== 'postgres') {
    throw new UsageError(`--store ${JSON.stringify(store)}: must be memory, git or postgres`)
  }
  if (store === 'git' && data === undefined) throw new UsageError('--store git requires --data DIR')
  const holdsData = store === 'git' || (store === 'postgres' && database === 'embedded')
  if (!holdsData && data !== undefined) throw new UsageError('--data requires --store git or --database embedded')
  return {
    store,
    data,
    ...(await databaseOf(values)),
    workers: workersOf(values),
    gitStore: gitStoreOf(values),
    host: values.host,
    httpPort: portOf('http-port', values['http-port']),
    grpcPort: portOf('grpc-port', values['grpc-port']),
    grants: await grantsOf(values),
    ...adminOf(values),
    tls: await tlsOf(values),
    limits: limitsOf(values),
    headersTimeoutMs: countOf('headers-timeout-ms', values['headers-timeout-ms']),
    bodyTimeoutMs: countOf('body-timeout-ms', values['body-timeout-ms']),
    idleTimeoutMs: countOf('idle-timeout-ms', values['idle-timeout-ms']),
    callTimeoutMs: countOf('call-timeout-ms', values['call-timeout-ms']),
    minFreeBytes: countOf('min-free-bytes', values['min-free-bytes']),
    ...accessLogOf(values),
    webhooks: values.webhooks === undefined ? undefined : await readPushOptions(values.webhooks),
    tracing: values.tracing ? await tracingOf() : undefined,
    faults: await faultsOf(values),
    onEffect: effectLog(values['effect-log'])
  }
}
