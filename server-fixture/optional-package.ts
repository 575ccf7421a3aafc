/** Packages that only a part of the server needs: a server without this part does without them. */

/** A package is not installed. The message says which, for which part, and how it is installed. */
export class MissingPackageError extends Error {}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`)
}

/**
 * Loads a part of the server that needs a package.
 *
 * @param part in the words of the user: the flag, the path
 * @throws MissingPackageError
 */
export async function loadPart<Part>(part: string, name: string, load: () => Promise<Part>): Promise<Part> {
  try {
    return await load()
  } catch (cause) {
    if (!isMissing(cause, name)) throw cause
    const message = `${part} needs the package ${name}, which is not installed: run "npm install ${name}"`
    throw new MissingPackageError(message, { cause })
  }
}

/** Loads a package that the server can do without. Undefined = it is not installed, which `onMissing` is told. */
export async function loadOptional<Module>(
  name: string,
  load: () => Promise<Module>,
  onMissing: (name: string) => void
): Promise<Module | undefined> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    onMissing(name)
    return undefined
  }
}
