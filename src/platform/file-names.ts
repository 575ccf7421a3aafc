/** The rules for names of files on this system, for `directories.ts`. */
import { decodeLatin1, encodeLatin1, isUtf8 } from './bytes.ts'

/** Names that a directory entry of nearly every file system has room for. */
const maxNameBytes = 255

const devices = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)[ ]*(?:\.|$)/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: Windows refuses them
const refusedByWindows = /[\x00-\x1f<>:"|?*\\/]/

/** The rule of the system that a name violates; undefined = the system can have it. */
export function fileNameProblem(name: string, system: string = process.platform): string | undefined {
  if (name.length > maxNameBytes) return `must have at most ${maxNameBytes} bytes`
  if (system !== 'win32' && system !== 'darwin') return undefined
  const bytes = encodeLatin1(name)
  if (!isUtf8(bytes)) return 'must be UTF-8 on this system'
  if (system === 'darwin') return undefined
  if (refusedByWindows.test(name)) return 'must have none of < > : " | ? * \\ and no control character on Windows'
  if (/[. ]$/.test(name)) return 'must not end with a dot or a space on Windows'
  return devices.test(decodeLatin1(bytes)) ? 'must not be the name of a device of Windows' : undefined
}
