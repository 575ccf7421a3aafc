/** Bounds the memory of a child process by a cgroup of version 1 or 2, where this machine has them and lets us. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A bound that a command can be run under. */
export interface MemoryLimit {
  /** The bound, in words. */
  readonly description: string
  /** Arguments in front of the command to be run, which keeps its process id. */
  readonly command: readonly string[]
  /** Removes the bound, once its processes have ended. */
  remove(): void
}

/** The mount point of the first file system that fits. */
function mountOf(fits: (type: string, options: string) => boolean): string | undefined {
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, point = '', type = '', options = ''] = line.split(' ')
    if (fits(type, options)) return point
  }
  return undefined
}

/** The cgroup of this process in the hierarchy of the controller; '' = that of version 2. */
function ownPath(controller: string): string {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n')
  const line = lines.find((text) => text.split(':')[1]?.split(',').includes(controller))
  return line?.split(':').slice(2).join(':') ?? '/'
}

interface Hierarchy {
  readonly version: 1 | 2
  readonly parent: string
  readonly settings: (bytes: number) => Readonly<Record<string, string>>
}

/** Where a new cgroup can be made. Version 2 has no processes and children in one cgroup, except for its root. */
function hierarchies(): Hierarchy[] {
  const v1 = mountOf((type, options) => type === 'cgroup' && options.split(',').includes('memory'))
  const v2 = mountOf((type) => type === 'cgroup2')
  return [
    ...(v1 === undefined
      ? []
      : [
          {
            version: 1 as const,
            parent: join(v1, ownPath('memory')),
            settings: (bytes: number) => ({ 'memory.limit_in_bytes': String(bytes) })
          }
        ]),
    ...(v2 === undefined
      ? []
      : [
          {
            version: 2 as const,
            parent: v2,
            settings: (bytes: number) => ({ 'memory.max': String(bytes), 'memory.swap.max': '0' })
          }
        ])
  ]
}

const prefix = 'blobwire-bombs-'

/** Removes the cgroups of runs that were killed; those of others that run cannot be removed. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent).filter((each) => each.startsWith(prefix))) {
    try {
      rmdirSync(join(parent, name))
    } catch {
      // It has processes.
    }
  }
}

/** A cgroup of so many bytes; where none can be made, a bound of the heap alone. */
export function memoryLimit(bytes: number): MemoryLimit {
  const megabytes = Math.floor(bytes / 2 ** 20)
  const problems: string[] = []
  for (const { version, parent, settings } of process.platform === 'linux' ? hierarchies() : []) {
    const directory = join(parent, `${prefix}${process.pid}`)
    try {
      sweep(parent)
      mkdirSync(directory)
    } catch (error) {
      problems.push((error as Error).message)
      continue
    }
    try {
      for (const [file, value] of Object.entries(settings(bytes))) writeFileSync(join(directory, file), value)
      const enter = `echo $$ > '${join(directory, 'cgroup.procs')}' && exec "$@"`
      return {
        description: `a cgroup (version ${version}) of ${megabytes} MB`,
        command: ['sh', '-c', enter, 'sh'],
        remove: () => rmdirSync(directory)
      }
    } catch (error) {
      problems.push((error as Error).message)
      rmdirSync(directory)
    }
  }
  const heap = Math.floor(megabytes * 0.6)
  return {
    description: `--max-old-space-size=${heap}, for want of a cgroup: ${problems.join('; ') || 'none on this system'}`,
    command: ['env', `NODE_OPTIONS=--max-old-space-size=${heap}`],
    remove: () => undefined
  }
}

/** The most memory that the process has had, in MB; 0 = it has ended, or this system does not tell. */
export function peakMegabytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
  } catch {
    return 0
  }
}
