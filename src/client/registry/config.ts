/** Configurations: from files, objects and the environment. */

import { BlobwireError } from '../../core/error.ts'
import { fileTrouble } from '../../core/file-trouble.ts'
import type { EnvironmentName, ProfileName } from '../../options/presets.ts'
import type { Duration, Size } from '../../options/quantity.ts'
import type { TlsOptions } from '../../options/types.ts'
import * as configuration from '../../platform/configuration.ts'
import type { FilePath } from '../../platform/platform.ts'
import type { ClientOptions } from '../client-options.ts'
import { parseConfig } from './config-file.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { Findings } from './findings.ts'
import { type ConfigLayer, type RawOptions, readLayer, sourceCheck } from './layer.ts'
import { checkedOptions, namesIn } from './merge.ts'

/** Numbers of milliseconds may be given as `30s`, numbers of bytes as `10MiB`. */
type WithUnits<Value> = Value extends readonly (infer Item)[]
  ? readonly WithUnits<Item>[]
  : Value extends string | number | boolean | undefined | Uint8Array | ((...values: never[]) => unknown)
    ? Value
    : {
        [Key in keyof Value]: Key extends `${string}Ms`
          ? Value[Key] | Duration
          : Key extends `${string}Bytes`
            ? Value[Key] | Size
            : WithUnits<Value[Key]>
      }

/** Options of one client in a configuration. */
export type ClientConfig = Omit<WithUnits<Partial<ClientOptions>>, 'tls'> & ConfigOptions

/** TLS of `https://` and `grpcs://` endpoints, with files that have the certificates and the key. */
export interface TlsConfig extends TlsOptions {
  /**
   * Path of a file with the option `ca`.
   * @default none
   */
  readonly caFile?: string | undefined
  /**
   * Path of a file with the option `cert`.
   * @default none
   */
  readonly certFile?: string | undefined
  /**
   * Path of a file with the option `key`.
   * @default none
   */
  readonly keyFile?: string | undefined
}

/** The options that a configuration has besides those of a client. */
interface ConfigOptions {
  /**
   * A set of options under one name; docs/configuration.md has them.
   * @default none
   */
  readonly profile?: ProfileName | undefined
  /**
   * Path of a file with the bearer token. The file is read before every request, so that a new token in it counts.
   * @default none
   */
  readonly tokenFile?: string | undefined
  /**
   * TLS of `https://` and `grpcs://` endpoints.
   * @default {}
   */
  readonly tls?: TlsConfig | undefined
}

/** Clients by their names, as a configuration file has them. */
export interface RegistryConfig<Name extends string = string> {
  /**
   * Where the program runs: a set of options, which docs/configuration.md has.
   * @default 'production'
   */
  readonly environment?: EnvironmentName | undefined
  /**
   * Options of all clients.
   * @default {}
   */
  readonly defaults?: ClientConfig | undefined
  /**
   * Options of each client.
   * @default {}
   */
  readonly clients?: { readonly [Key in Name]: ClientConfig } | undefined
}

/** A configuration that `loadConfig` has read and checked. */
export class Config<Name extends string = string> {
  readonly #layers: readonly ConfigLayer[]
  /** The names of its clients. */
  readonly names: readonly Name[]

  /** @internal */
  constructor(layers: readonly ConfigLayer[]) {
    this.#layers = layers
    this.names = namesIn(layers) as Name[]
  }

  /** @internal */
  static layersOf(config: Config): readonly ConfigLayer[] {
    return config.#layers
  }
}

/** Options of `loadConfig`. */
export interface LoadConfigOptions {
  /**
   * The environment whose variables `BLOBWIRE_…` count more than the file.
   * @default the environment of the process
   */
  readonly env?: Environment | undefined
}

/**
 * Reads a configuration from a YAML or JSON file, or takes an object for one, together with the environment. All mistakes
 * are told at once. See docs/configuration.md.
 * @throws BlobwireError `invalid_argument` with a violation for each mistake; `not_found` where there is no file
 * @example
 * const config = await loadConfig({ clients: { api: { endpoint: 'http://127.0.0.1:4100', timeoutMs: '20s' } } })
 * const registry = createClientRegistry(config)
 * await registry.client('api').getCapabilities()
 * await registry.close()
 */
export async function loadConfig<Name extends string = string>(
  source: FilePath | RegistryConfig<Name>,
  { env = configuration.environment() }: LoadConfigOptions = {}
): Promise<Config<Name>> {
  const findings = new Findings()
  const layer = isPath(source) ? await readFile(source, findings) : readSource(source, { source: 'code', findings })
  const names = [...layer.clients.keys()]
  const layers = [layer, readEnvironment(env, names.length > 0 ? names : undefined, findings)]
  checkedOptions(layers, findings, { isComplete: false })
  findings.throwAny()
  return new Config<Name>(layers)
}

const isPath = (source: object | string): source is FilePath => typeof source === 'string' || 'href' in source

async function readFile(path: FilePath, findings: Findings): Promise<ConfigLayer> {
  const file = configuration.absolutePath(path)
  const shown = typeof path === 'string' ? path : file
  const text = await configuration.readText(file).catch((cause: { code?: string }) => {
    const problem = `${fileTrouble(cause)} ${JSON.stringify(shown)}`
    throw new BlobwireError({
      code: cause.code === 'ENOENT' ? 'not_found' : 'invalid_argument',
      message: `the configuration cannot be read: ${problem}`,
      cause
    })
  })
  const { value, problems, lineOf } = await parseConfig(text)
  for (const { field, description } of problems) findings.add({ field: `${shown}:${field}`, description })
  const layer = readSource(value, { source: 'file', findings, place: { name: shown, lineOf } })
  return {
    ...layer,
    defaults: withPaths(layer.defaults, file),
    clients: new Map([...layer.clients].map(([name, options]) => [name, withPaths(options, file)]))
  }
}

/** Paths in a file are seen from the file. */
function withPaths(options: RawOptions, file: string): RawOptions {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => {
      if (key === 'tls') return [key, withPaths(value as RawOptions, file)]
      const isFile = key.endsWith('File') && typeof value === 'string'
      return [key, isFile ? configuration.absolutePath(value, file) : value]
    })
  )
}

/** How a source is read. */
interface Source {
  readonly source: 'file' | 'code'
  readonly findings: Findings
  /** The file, and the lines of its options. */
  readonly place?: { readonly name: string; lineOf(field: string): number | undefined }
}

/** Reads one source, and adds its mistakes to the others. */
export function readSource(given: unknown, { source, findings, place }: Source): ConfigLayer {
  const check = sourceCheck()
  const layer = readLayer(given, source, check)
  const problems = check.problems.map((problem) => ({ ...problem, line: place?.lineOf(problem.field) ?? 1 }))
  for (const { field, description, line } of problems.toSorted((one, other) => one.line - other.line)) {
    const where = place === undefined ? '' : ` (${place.name}:${line})`
    findings.add({ field, description: `${description}${where}` }, optionIn(field))
  }
  for (const field of check.meant) findings.markWrong(optionIn(field))
  return layer
}

/** The path of the option in `defaults.timeoutMs` or `clients.storage.timeoutMs`. */
const optionIn = (field: string) => field.replace(/^(defaults|clients\.[^.]*)\./, '')
