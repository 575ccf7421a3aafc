/** Guards of sources that fail late, are given twice, or wait while the upload is cut or ends; and of archives. */
import type { Guard } from './guard.ts'

const reader = 'src/transfer/source-reader.ts'
const source = 'src/transfer/source.ts'

const contents = 'src/client/change-contents.ts'
const archive = 'src/client/files/archive.ts'
const archives = 'test/files/archive.test.ts'
const commits = 'test/large/failed-commits.test.ts'
const ends = 'test/transfer/source-ends.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'sources: a failure that nobody waited for is no end',
    file: 'src/transfer/pieces.ts',
    from: '    if (this.#ahead !== undefined) return this.#ahead\n    if (this.#hasEnded) return Promise.resolve(undefined)\n',
    to: '    if (this.#hasEnded) return Promise.resolve(undefined)\n    if (this.#ahead !== undefined) return this.#ahead\n',
    tests: [ends]
  },
  {
    name: 'sources: a wait of an attempt that was cut drives the next one not',
    file: reader,
    from: 'this.#isClosed || round !== this.#round',
    to: 'this.#isClosed',
    tests: [ends]
  },
  {
    name: 'sources: a closed reader opens nothing',
    file: reader,
    from: 'this.#isClosed || round !== this.#round',
    to: 'round !== this.#round',
    tests: [ends]
  },
  {
    name: 'sources: a stream that was read is not read again as nothing',
    file: source,
    from: '  if (taken.has(stream)) throw',
    to: '  if (false) throw',
    tests: [ends]
  },
  {
    name: 'sources: a stream of which nothing was read is ended',
    file: source,
    from: '    current ??= given && iterate(given)\n',
    to: '',
    tests: [ends]
  },
  {
    name: 'transfers: work that goes on after the end makes no attempt',
    file: 'src/transfer/running-transfer.ts',
    from: "    if (this.#isOver) attempt.end(abortError('the transfer has ended'))\n",
    to: '',
    tests: ['test/transfer/transfer-runner.test.ts']
  },
  {
    name: 'sources: text in another encoding is not taken for UTF-8',
    file: source,
    from: 'if (readableEncoding && ',
    to: 'if (false && ',
    tests: [ends]
  },
  {
    name: 'sources: a commit that fails ends the streams that it has not read',
    file: contents,
    from: '    for (const [, change] of listOf(changes)) endStream(contentOfChange(change))\n',
    to: '',
    tests: [commits]
  },
  {
    name: 'sources: an upload that never began ends its stream',
    file: 'src/client/uploads.ts',
    from: 'if (this.#source === undefined) endStream(this.#given)',
    to: 'if (this.#source === undefined) return',
    tests: [commits]
  },
  {
    name: 'commits: an abort between two small files is an abort',
    file: contents,
    from: 'signal.reason instanceof BlobwireError ? signal.reason : abortError(signal.reason)',
    to: 'signal.reason',
    tests: [commits]
  },
  {
    name: 'archive: no name leads out of the directory',
    file: archive,
    from: '  if (/(?:^|',
    to: '  if (false && /(?:^|',
    tests: [archives]
  },
  {
    name: 'archive: a time for which a format has no room is its first or last one',
    file: archive,
    from: 'Math.min(Math.max(0, timeSeconds), latest)',
    to: 'timeSeconds',
    tests: [archives]
  },
  {
    name: 'archive: cancelling ends the request that is under way',
    file: 'src/client/files/tree-methods.ts',
    from: '        end()\n',
    to: '',
    tests: [archives]
  },
  {
    name: 'commits: a content is not taken for the file of which it is the name',
    file: contents,
    from: '    return file === undefined ? this.#entries.get(content) : this.#files.get(file)\n',
    to: '    return this.#entries.get(content) ?? this.#files.get(file ?? String(content))\n',
    tests: [commits]
  },
  {
    name: 'commits: the mode of a stream is none of the commit',
    file: contents,
    from: '(content === change ? {} : change)',
    to: '(change)',
    tests: [commits]
  },
  {
    name: 'backup: a file that was equal to one that has changed since is its own',
    file: 'cli/import/import-directory.ts',
    from: 'of sent.values()) stored.add(oid)',
    to: 'of large) stored.add(oid)',
    tests: ['test/cli/import-races.test.ts']
  },
  {
    name: 'sources: small pieces that are kept are joined',
    file: reader,
    from: 'last.length + piece.length <= most',
    to: 'false',
    tests: [ends]
  }
]
