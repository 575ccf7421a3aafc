/** `FileThreadFunctions` of platform.ts without files. */
export const openFileThreads = async (): Promise<undefined> => undefined
