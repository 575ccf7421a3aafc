/** Finds the proxies on this machine, or installs Debian's packages of them. */
import { spawnSync } from 'node:child_process'
import { pathOf } from '../find-program.ts'

/** The proxies; each name is also that of the program and of its Debian package. */
export const proxyNames = ['nginx', 'haproxy', 'caddy'] as const

/** Name of a proxy. */
export type ProxyName = (typeof proxyNames)[number]

/** An installed program, and its version. */
export interface Program {
  readonly name: ProxyName
  readonly path: string
  /** Such as `1.22.1`. */
  readonly version: string
}

function versionOf(name: ProxyName, path: string): string {
  const { stdout, stderr } = spawnSync(path, [name === 'caddy' ? 'version' : '-v'], { encoding: 'utf8' })
  return /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown'
}

function install(names: readonly ProxyName[], log: (line: string) => void): void {
  const how = `apt-get install -y --no-install-recommends ${names.join(' ')}`
  if (process.getuid?.() !== 0) throw new Error(`not installed: ${names.join(', ')}; as root: ${how}`)
  log(`not installed: ${names.join(', ')}; running: ${how}`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const command of ['apt-get update -qq', how]) {
    const [program = '', ...rest] = command.split(' ')
    const { status, stderr, error } = spawnSync(program, rest, { env: environment, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`)
  }
}

/**
 * The programs of these names. Missing ones are installed with apt-get, which `log` reports; the system services of
 * the packages are neither used nor changed.
 * @throws Error where one is missing and this is not root, or it cannot be installed
 */
export function findPrograms(names: readonly ProxyName[], log: (line: string) => void): Program[] {
  const missing = names.filter((name) => pathOf(name) === undefined)
  if (missing.length > 0) install(missing, log)
  return names.map((name) => {
    const path = pathOf(name)
    if (path === undefined) throw new Error(`${name} is not found, though it is installed`)
    return { name, path, version: versionOf(name, path) }
  })
}
