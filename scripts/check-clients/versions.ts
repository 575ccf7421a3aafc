/** Versions of packages and programs. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../test/support/child.ts'

/** The version of an installed package. */
export function versionOf(name: string): string {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
}

/** The first number with dots that a program tells of itself. */
export function programVersion(path: string): string {
  return /\d+(?:\.\d+)+/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[0] ?? 'unknown'
}
