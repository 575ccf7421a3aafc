/** The calls of a repository that read a tree with all its files. */
import type { CallOptions } from '../../call/call-options.ts'
import { forCaller } from '../../call/caller.ts'
import { show } from '../../core/check-options.ts'
import { asBlobwireError, type BlobwireError } from '../../core/error.ts'
import { FieldProblem } from '../../core/field-problem.ts'
import { takeOptions } from '../call-shapes.ts'
import type { RepositoryCalls } from '../calls.ts'
import { object, path, revision, type Take } from '../take.ts'
import { aFunction, flag } from '../take-values.ts'
import { archive } from './archive.ts'
import { checkout } from './checkout.ts'
import type { ArchiveInput, CheckoutInput, CheckoutResult, FilesInput, RepositoryFile } from './inputs.ts'
import { readFiles } from './read-files.ts'

function glob(value: unknown): unknown {
  const patterns = Array.isArray(value) ? [...value] : [value]
  if (patterns.length > 0 && patterns.every((each) => typeof each === 'string' && each !== '')) {
    // They would match nothing, without a word.
    const odd = patterns.find((each: string) => /^!(?!\()|^\//.test(each))
    if (odd === undefined) return Array.isArray(value) ? patterns : value
    const why = odd.startsWith('!') ? 'patterns leave nothing out; filter the files instead' : 'paths begin with no "/"'
    throw new FieldProblem(`${show(odd)}: ${why}`)
  }
  throw new FieldProblem(`must be a pattern such as "*.md", or a list of patterns, not ${show(value)}`)
}

function place(value: unknown): unknown {
  if ((typeof value === 'string' && value !== '' && !value.includes('\0')) || value instanceof URL) return value
  throw new FieldProblem(`must be the path of a directory, not ${show(value)}`)
}

const filesInput = object({ revision, path, glob })
const archiveFormats = ['tar', 'tar.gz', 'zip']

function format(value: unknown): unknown {
  if (archiveFormats.includes(value as string)) return value
  throw new FieldProblem(`must be one of ${archiveFormats.join(', ')}, not ${show(value)}`)
}

function prefix(value: unknown): unknown {
  const isPath = typeof value === 'string' && !/^\/|\\|\0|(?:^|\/)\.{1,2}(?:\/|$)|\/\//.test(value)
  if (isPath && value.isWellFormed()) return value
  throw new FieldProblem(`must be the beginning of a relative path, such as "project-1.0/", not ${show(value)}`)
}

const archiveInput = object({ revision, path, glob, format, prefix }, { required: ['format'] })
const checkoutInput = object({ revision, path, remove: flag, onProgress: aFunction })
const checkoutPlace = object({ directory: place }, { required: ['directory'] })

/** Base of `Repository`. */
export abstract class TreeMethods {
  readonly #calls: RepositoryCalls

  /** @internal */
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
   * The files of a tree as an archive: the members of `git archive`, with modes, links and directories, all with the time
   * of the commit, so that the same commit gives the same bytes. It is a web stream and an async iterable; leaving the loop
   * or cancelling the stream ends what is under way. An error in the middle is thrown instead of an end.
   * @throws BlobwireError `failed_precondition`, reason `unwritable_paths`, before the first byte, for names that lead out
   * of the directory in which it is unpacked, and for names that a zip archive cannot hold
   * @example
   * const archive = repo.archive({ revision: 'main', format: 'tar.gz', prefix: 'project-1.0/' })
   * await writeFile('project-1.0.tar.gz', archive)
   */
  archive(input: ArchiveInput, options: CallOptions = {}): ReadableStream<Uint8Array> & AsyncIterable<Uint8Array> {
    const failed = (error: unknown) => this.#failed('archive', error, this.archive)
    try {
      const given = takeOptions('archive', options)
      const controller = new AbortController()
      const signal = given.signal ? AbortSignal.any([given.signal, controller.signal]) : controller.signal
      const chunks = archive(this.#calls, take('archive', input, archiveInput), { ...given, signal })
      return toStream(chunks, { failed, end: () => controller.abort() })
    } catch (error) {
      throw failed(error)
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
   * const { written, unchanged } = await repo.checkout('site', { revision: 'main', remove: true })
   */
  async checkout(
    directory: string | URL,
    input: CheckoutInput = {},
    options: CallOptions = {}
  ): Promise<CheckoutResult> {
    try {
      const target = take('checkout', { directory }, checkoutPlace)
      const own = take('checkout', input, checkoutInput)
      return await checkout({ calls: this.#calls, ...target }, own, takeOptions('checkout', options))
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

/** Chunks are asked for as they are read. */
function toStream(
  chunks: AsyncGenerator<Uint8Array, void>,
  { failed, end }: { readonly failed: (error: unknown) => BlobwireError; readonly end: () => void }
): ReadableStream<Uint8Array> & AsyncIterable<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          controller.error(failed(error))
        }
      },
      async cancel() {
        // A generator alone would wait for the request that is under way.
        end()
        await chunks.return()
      }
    },
    { highWaterMark: 0 }
  )
  return stream as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>
}

function take<Input>(method: string, input: Input, taken: Take): Input {
  try {
    return taken(input) as Input
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.toError(method) : problem
  }
}
