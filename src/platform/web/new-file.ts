/** `NewFileFunctions` of platform.ts without files. */
import { refuseFiles } from './refuse.ts'

export const createFile = (): Promise<never> => refuseFiles('read the download as a stream or as bytes')
