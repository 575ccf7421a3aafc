/** Paths and flags with which files are reached through directories that are open; see directories.ts. */
import { Buffer } from 'node:buffer'
import { constants, existsSync } from 'node:fs'
import { encodeHex, encodeLatin1, toNative } from './bytes.ts'
import { randomBytes } from './random.ts'

const { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = constants
/** Flags that Windows lacks are undefined there. */
export const noFollow = constants.O_NOFOLLOW ?? 0
export const onlyDirectory = (constants.O_DIRECTORY ?? 0) | O_RDONLY
/** For a file that nobody has. */
export const newFileFlags = O_CREAT | O_EXCL | O_WRONLY | noFollow

const descriptors = '/proc/self/fd'
let isThere: boolean | undefined

/** Asked with the first directory: a process may have no permission to look at files. */
export function hasDescriptors(): boolean {
  isThere ??= process.platform === 'linux' && existsSync(descriptors)
  return isThere
}

/** The path of a directory that is open. */
export function pathOfOpen(descriptor: number): string {
  return `${descriptors}/${descriptor}`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const ascii = /^[\x00-\x7f]*$/

/** Names are binary strings, one character for each byte. */
export function pathIn(directory: string, name: string): string | Buffer {
  if (ascii.test(name)) return `${directory}/${name}`
  return Buffer.concat([Buffer.from(`${directory}/`), encodeLatin1(name)])
}

let made = 0
const own = encodeHex(toNative(randomBytes(6)))

/** A name that no file has. */
export function temporaryName(): string {
  return `.blobwire-${own}-${++made}`
}
