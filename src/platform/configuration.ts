/** `ConfigurationFunctions` of configuration-functions.ts on Node. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FilePath } from './platform.ts'

export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env
}

export function absolutePath(path: FilePath, beside?: string): string {
  const text = typeof path === 'string' ? path : fileURLToPath(path.href)
  return beside === undefined ? resolve(text) : resolve(dirname(beside), text)
}

export function readTextNow(path: string): string {
  return readFileSync(path, 'utf8')
}

export function readText(path: string): Promise<string> {
  return readFile(path, 'utf8')
}
