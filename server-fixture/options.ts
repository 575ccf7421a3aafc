/** The command line of the server. */
import { openSync, writeSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defaultLimits, type Limits } from '../src/schema/default-limits.ts'
import { databaseOf } from './database-options.ts'
import { Faults } from './faults/faults.ts'
import { FaultScriptError, readFaultScript } from './faults/rules.ts'
import { grantsOf } from './flags/grants.ts'
import { type FlagValues, parseFlags } from './flags/usage.ts'
import { Hosts } from './hosts.ts'
import { readCors } from './http/cors.ts'
import { MemoryBudget } from './memory-budget.ts'
import { readPushOptions } from './push/push-options.ts'
import type { ServerOptions } from './server-options.ts'
import type { TlsFiles } from './tls-files.ts'
import { readFlagFile, UsageError } from './usage-error.ts'

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

function limitsOf(values: FlagValues): Partial<Limits> {
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
function gitStoreOf(values: FlagValues): ServerOptions['gitStore'] {
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
function workersOf({ store, workers }: FlagValues): number | undefined {
  if (workers === undefined) return undefined
  if (store !== 'postgres') throw new UsageError('--workers requires --store postgres: processes share no other store')
  if (workers === 'auto') return availableParallelism()
  if (/^[1-9]\d{0,2}$/.test(workers)) return Number(workers)
  throw new UsageError(`--workers ${JSON.stringify(workers)}: must be auto or a number of processes from 1 to 999`)
}

function adminOf(values: FlagValues): Pick<ServerOptions, 'adminPort' | 'adminHost'> {
  const { 'admin-port': port, 'admin-host': host } = values
  if (port === undefined && host !== undefined) throw new UsageError('--admin-host requires --admin-port')
  return { adminPort: port === undefined ? undefined : portOf('admin-port', port), adminHost: host }
}

function accessLogOf(values: FlagValues): Pick<ServerOptions, 'accessLog' | 'accessLogDetail'> {
  const { 'access-log': accessLog, 'access-log-detail': detail } = values
  if (detail === undefined) return { accessLog }
  if (accessLog === undefined) throw new UsageError('--access-log-detail requires --access-log')
  if (detail === 'frames' || detail === 'operations') return { accessLog, accessLogDetail: detail }
  throw new UsageError(`--access-log-detail ${JSON.stringify(detail)}: must be frames or operations`)
}

async function tlsOf(values: FlagValues): Promise<TlsFiles | undefined> {
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
    ca: ca === undefined ? undefined : await readFlagFile('client-ca', ca)
  }
}

function corsOf({ 'cors-origins': list }: FlagValues): ServerOptions['cors'] {
  if (list === undefined) return undefined
  const cors = { origins: list.split(',') }
  try {
    readCors(cors)
    return cors
  } catch (error) {
    throw new UsageError(`--cors-origins: ${(error as Error).message}`)
  }
}

function hostsOf({ hosts: list, host }: FlagValues): ServerOptions['hosts'] {
  if (list === undefined) return undefined
  const hosts = list.split(',')
  try {
    new Hosts({ host, hosts })
    return hosts
  } catch (error) {
    throw new UsageError(`--hosts: ${(error as Error).message}`)
  }
}

async function faultsOf({ faults }: FlagValues): Promise<Faults | undefined> {
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
export async function readOptions(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env
): Promise<CommandLine | undefined> {
  const values = parseFlags(args)
  if (values.help) return undefined
  const { store, data, database } = values
  if (store !== 'memory' && store !== 'git' && store !== 'postgres') {
    throw new UsageError(`--store ${JSON.stringify(store)}: must be memory, git or postgres`)
  }
  if (store === 'git' && data === undefined) throw new UsageError('--store git requires --data DIR')
  if (store === 'git' && values['git-cache'] !== undefined) {
    throw new UsageError('--git-cache requires --store memory or postgres: clones read the git store in place')
  }
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
    grants: await grantsOf(values, environment),
    ...adminOf(values),
    tls: await tlsOf(values),
    cors: corsOf(values),
    hosts: hostsOf(values),
    limits: limitsOf(values),
    headersTimeoutMs: countOf('headers-timeout-ms', values['headers-timeout-ms']),
    bodyTimeoutMs: countOf('body-timeout-ms', values['body-timeout-ms']),
    idleTimeoutMs: countOf('idle-timeout-ms', values['idle-timeout-ms']),
    callTimeoutMs: countOf('call-timeout-ms', values['call-timeout-ms']),
    minFreeBytes: countOf('min-free-bytes', values['min-free-bytes']),
    maxPushBytes: countOf('max-push-bytes', values['max-push-bytes']),
    gitCache: values['git-cache'],
    maxGitProcesses: countOf('max-git-processes', values['max-git-processes']),
    gitTimeoutMs: countOf('git-timeout-ms', values['git-timeout-ms']),
    ...accessLogOf(values),
    webhooks: values.webhooks === undefined ? undefined : await readPushOptions(values.webhooks),
    tracing: values.tracing,
    faults: await faultsOf(values),
    onEffect: effectLog(values['effect-log'])
  }
}
