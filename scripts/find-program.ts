/** Finds programs on this machine. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian keeps servers in directories that a user's PATH may lack. */
const directories = [
  ...new Set([...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'])
]

/** The paths of a program, in the order of PATH. */
export function pathsOf(name: string): string[] {
  return directories
    .map((directory) => join(directory, name))
    .filter((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** The first of them; undefined = the program is missing. */
export function pathOf(name: string): string | undefined {
  return pathsOf(name)[0]
}
