/** `DirectoryFunctions` of platform.ts without files. */
import { refuse, refuseFiles } from './refuse.ts'

export const openDirectory = (): Promise<never> => refuseFiles('archive() gives the files of a tree as a stream')

/** No name comes to a disk. */
export const fileNameProblem = (): undefined => undefined

export const temporaryName = (): never => refuse('there are no files in this runtime')
