/** `FileFunctions` of platform.ts without files. */
import { refuseFiles } from './refuse.ts'

const instead = 'give a File or Blob (such as Bun.file(path)) or a stream (such as (await Deno.open(path)).readable)'

export const openFile = (): Promise<never> => refuseFiles(instead)
export const fileSize = (): Promise<never> => refuseFiles(instead)
