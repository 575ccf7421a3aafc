/** `checkout`: writes the files of a tree into a directory. */
import type { CallOptions } from '../../call/call-options.ts'
import { abortError, BlobwireError } from '../../core/error.ts'
import { answeredPath, binaryPath } from '../../git/raw-path.ts'
import { openDirectory, temporaryName } from '../../platform/directories.ts'
import type { Directory } from '../../platform/platform.ts'
import { ProgressMeter } from '../../transfer/progress.ts'
import type { RepositoryCalls } from '../calls.ts'
import { FileComparison } from './compare-files.ts'
import type { CheckoutInput, CheckoutResult } from './inputs.ts'
import { type FileList, listFiles } from './listing.ts'
import { OpenDirectories } from './open-directories.ts'
import { type Problem, unwritablePaths } from './problems.ts'
import { equalNames, type NameRules, wantedTree } from './wanted-tree.ts'
import { diskError, FileWriter } from './write-files.ts'

interface Target {
  readonly calls: RepositoryCalls
  readonly directory: string | URL
}

/** @throws BlobwireError; see `Repository.checkout` */
export async function checkout(
  { calls, directory }: Target,
  { revision = 'HEAD', path = '', remove = false, onProgress }: CheckoutInput,
  options: CallOptions
): Promise<CheckoutResult> {
  const requestOptions = options.timeoutMs === undefined ? () => options : calls.invoker.shared(options)
  const progress = new ProgressMeter(calls.clock, onProgress, 'list')
  const list = await listFiles(calls, { revision, path }, requestOptions())
  progress.totalFiles = list.files.filter(({ mode }) => mode !== '160000').length
  const { root, problems } = wantedTree(list.files)
  if (problems.length > 0) throw refusal(problems)
  const top = await onDisk('could not open the directory', () => openDirectory(directory, { make: true }))
  try {
    const rules = await onDisk('could not write into the directory', () => nameRulesOf(top))
    const equal = equalNames(root, rules)
    if (equal.length > 0) throw refusal(equal)
    const { signal } = options
    const comparison = new FileComparison({
      rules,
      format: list.oid.length === 40 ? 'sha1' : 'sha256',
      remove,
      throwIfAborted: () => {
        if (signal?.aborted) throw abortError(signal.reason)
      },
      onUnchanged: (size) => progress.file().done(size)
    })
    progress.enter('hash')
    await onDisk('could not read the directory', () => comparison.compare(root, top))
    const { differences } = comparison
    if (differences.problems.length > 0) throw refusal(differences.problems)
    const directories = new OpenDirectories(top)
    const onWritten = (size: number) => {
      const file = progress.file()
      file.reached(size)
      file.done(size)
    }
    progress.enter('write')
    const writer = new FileWriter({ calls, directories, options: requestOptions, onWritten })
    try {
      await writer.run(differences)
    } finally {
      directories.close()
    }
    progress.end()
    const { written, removed, bytes } = writer
    return { tree: list.oid, written, removed, bytes, unchanged: differences.unchanged.length, skipped: skipped(list) }
  } finally {
    await top.close()
  }
}

async function onDisk<Result>(subject: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof BlobwireError ? error : diskError(subject, error, '; nothing was written')
  }
}

function skipped({ files }: FileList): CheckoutResult['skipped'] {
  return files.filter(({ mode }) => mode === '160000').map(({ path, oid }) => ({ ...answeredPath(path), oid }))
}

/** Looks how the file system of the directory compares names, by a file that is there for a moment. */
async function nameRulesOf(directory: Directory): Promise<NameRules> {
  const base = temporaryName()
  const name = (text: string) => binaryPath({ path: `${base}${text}` })
  const made = name('a\u00e9')
  await directory.writeFile(made, new Uint8Array(0), { isExecutable: false })
  try {
    const [foldsCase, foldsForm] = await Promise.all([directory.has(name('A\u00e9')), directory.has(name('ae\u0301'))])
    return { foldsCase, foldsForm }
  } finally {
    await directory.remove(made)
  }
}

const refusal = (problems: readonly Problem[]) =>
  unwritablePaths('the checkout is refused, nothing was written', problems)
