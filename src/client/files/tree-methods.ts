/** The calls of a repository that read a tree with all its files. */
import type { CallOptions } from '../../call/call-options.ts'
import { forCaller } from '../../call/caller.ts'
import { show } from '../../core/check-options.ts'
import { asBlobwireError, type BlobwireError } from '../../core/error.ts'
import { FieldProblem } from '../../core/field-problem.ts'
import { takeOptions } from '../call-shapes.ts'
import type { RepositoryCalls } from '../calls.ts'
import { aFunction, flag, object, path, revision, type Take } from '../take.ts'
import { checkout } from './checkout.ts'
import type { CheckoutInput, CheckoutResult, FilesInput, RepositoryFile } from './inputs.ts'
import { readFiles } from './read-files.ts'

function glob(value: unknown): unknown {
  const isPattern = (each: unknown) => typeof each === 'string' && each !== ''
  if (isPattern(value)) return value
  if (Array.isArray(value) && value.length > 0 && value.every(isPattern)) return [...value]
  throw new FieldProblem(`must be a pattern such as "*.md", or a list of patterns, not ${show(value)}`)
}

function place(value: unknown): unknown {
  if ((typeof value === 'string' && value !== '' && !value.includes('\0')) || value instanceof URL) return value
  throw new FieldProblem(`must be the path of a directory, not ${show(value)}`)
}

const filesInput = object({ revision, path, glob })
const checkoutInput = object(
  { directory: place, revision, path, remove: flag, onProgress: aFunction },
  { required: ['directory'] }
)

/** Base of `Repository`. */
export abstract class TreeMethods {
  readonly #calls: RepositoryCalls

  constructor(calls: RepositoryCalls) {
    this.#calls = calls
  }

  /**
   * Iterates over the files of a tree with their contents, in the tree's order; submodules are left out. The client lists
   * the tree first, and reads contents in batches, some 16 MiB ahead of the loop. Files above `maxInlineBytes` come
   * without `content`; `stream()` reads them. Leaving the loop ends what is under way. Without `timeoutMs`, each request
   * has the client's.
   * @throws BlobwireError `resource_exhausted` for a tree of more than 1,000,000 entries
   * @example
   * for await (const file of repo.readFiles({ revision: 'main', path: 'docs', glob: '**\/*.md' })) {
   *   console.log(file.path, file.size, await file.bytes())
   * }
   */
  async *readFiles(input: FilesInput = {}, options: CallOptions = {}): AsyncGenerator<RepositoryFile, void> {
    try {
      yield* readFiles(this.#calls, take('readFiles', input, filesInput), takeOptions('readFiles', options))
    } catch (error) {
      throw this.#failed('readFiles', error, this.readFiles)
    }
  }

  /**
   * Writes the files of a tree into a directory, which is made where it is missing, with links and the permission to
   * execute. Only what differs is read and written: files that are there with the right content stay as they are. Each
   * file is written beside its place and renamed when it is verified. Nothing is removed unless `remove` is true.
   *
   * No path leaves the directory, and no link in it is followed. docs/files.md tells what is refused, and how far this
   * holds against processes that change the directory meanwhile.
   * @throws BlobwireError `failed_precondition`, reason `unwritable_paths`, before anything is written, where the tree has
   * paths that Git or the system refuses, or that the file system holds equal, or where other entries are in their places;
   * `details.violations` lists them all. `aborted`, reason `sink_failed`, where the system fails to write (disk full, no
   * permission); the message says what was written before, and another checkout goes on from there
   * @example
   * const { written, unchanged } = await repo.checkout('/srv/site', { revision: 'main', remove: true })
   */
  async checkout(
    directory: string | URL,
    input: CheckoutInput = {},
    options: CallOptions = {}
  ): Promise<CheckoutResult> {
    try {
      const own = take('checkout', { ...input, directory }, checkoutInput)
      return await checkout({ calls: this.#calls, directory: own.directory }, own, takeOptions('checkout', options))
    } catch (error) {
      throw this.#failed('checkout', error, this.checkout)
    }
  }

  #failed(method: string, exception: unknown, below: (...values: never[]) => unknown): BlobwireError {
    const error = asBlobwireError(exception)
    const { endpoint = this.#calls.invoker.endpoint } = error
    return forCaller(error, { method, endpoint }, { below })
  }
}

function take<Input>(method: string, input: Input, taken: Take): Input {
  try {
    return taken(input) as Input
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.toError(method) : problem
  }
}
