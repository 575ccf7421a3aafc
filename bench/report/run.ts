/** The record of one run of the benchmark. */
import { readFileSync } from 'node:fs'
import { cpus, type as osType, release, totalmem } from 'node:os'
import type { ScenarioResult } from '../measure/rounds.ts'
import type { Effort } from '../measure/scenario.ts'
import { evaluate, type TargetResult } from './targets.ts'

/** One run of the benchmark, as it is written to a file. */
export interface Run {
  readonly date: string
  readonly effort: Effort
  readonly host: Readonly<Record<string, string | number>>
  readonly versions: Readonly<Record<string, string>>
  readonly results: readonly ScenarioResult[]
  readonly targets: readonly TargetResult[]
}

const compared = ['undici', '@grpc/grpc-js', '@connectrpc/connect-node', '@trpc/client', '@msgpack/msgpack', 'fflate']

/** Adds the conditions of the measurement to the results. */
export function describe(results: readonly ScenarioResult[], effort: Effort): Run {
  const file = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
    dependencies: Record<string, string>
    devDependencies: Record<string, string>
  }
  const installed = { ...file.dependencies, ...file.devDependencies }
  const [processor] = cpus()
  return {
    date: new Date().toISOString(),
    effort,
    host: {
      system: `${osType()} ${release()}`,
      processor: processor?.model ?? 'unknown',
      cores: cpus().length,
      'memory GiB': Math.round(totalmem() / 2 ** 30)
    },
    versions: {
      blobwire: file.version,
      node: process.versions.node,
      ...Object.fromEntries(compared.map((name) => [name, installed[name] ?? '']))
    },
    results,
    targets: evaluate(results)
  }
}
