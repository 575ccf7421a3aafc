/** Facts about a server for its log, its answers and its first line. */
import { readFileSync } from 'node:fs'
import { packageFile } from './package-files.ts'

export function packageVersion(): string {
  return (JSON.parse(readFileSync(packageFile('blobwire/package.json'), 'utf8')) as { version: string }).version
}

/** An error as the log shows it: messages of OpenSSL and Node hold no tokens. */
export function logged(error: unknown): Record<string, unknown> {
  const { code, message, stack } = error as NodeJS.ErrnoException
  return { code, message: String(message ?? error).slice(0, 1000), stack: stack?.split('\n').slice(1, 4).join(' |') }
}

/** The URL of a listener. */
export function urlOf(host: string, port: number, secure = false): string {
  return `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
