/** The command `import` while files and branches change. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CommandError } from '../../cli/errors.ts'
import { type ImportOptions, importDirectory } from '../../cli/import/import-directory.ts'
import { ResumeFile } from '../../cli/import/resume-file.ts'
import { transferView } from '../../cli/output/transfer-display.ts'
import { BlobwireError, blobOid } from '../../src/index.ts'
import { largeContent, largeServer, smallLimits } from '../support/large-blobs.ts'
import type { TestServer } from '../support/server.ts'
import { temporaryDirectory, writeFiles } from './directories.ts'

const author = { name: 'Ada', email: 'ada@example.org' }

async function optionsFor(context: TestContext, served: TestServer): Promise<ImportOptions> {
  const directory = await temporaryDirectory(context)
  return {
    directory,
    repo: served.client().repository('demo'),
    branch: 'main',
    exclude: [],
    message: 'x',
    author,
    limits: smallLimits,
    tokens: new ResumeFile(join(await temporaryDirectory(context), 'resume.json'), 'demo'),
    signal: new AbortController().signal,
    onTree: () => {},
    onProgress: () => {}
  }
}

test('a large file that changes between reading and sending is sent as it is then', async (context) => {
  const served = await largeServer(context)
  const options = await optionsFor(context, served)
  const before = largeContent(200_000, 1)
  await writeFiles(options.directory, { equal: before, large: before })
  const later = largeContent(200_000, 2)
  let isChanged = false
  const { commit } = await importDirectory({
    ...options,
    onProgress: ({ phase, files }) => {
      if (phase !== 'hash' || files === 0 || isChanged) return
      isChanged = true
      writeFileSync(join(options.directory, 'large'), later)
    }
  })
  const { entries } = await options.repo.getTree({ revision: commit as string })
  assert.deepEqual(
    entries.map(({ oid }) => oid),
    [blobOid(before), blobOid(later)]
  )
})

test('a branch that moved meanwhile is not overwritten', async (context) => {
  const served = await largeServer(context)
  const options = await optionsFor(context, served)
  await writeFiles(options.directory, { small: 'x' })
  const other = served.client().repository('demo')
  const client = served.client({
    interceptors: [
      async (call, next) => {
        if (call.method === 'commitFiles') {
          await other.commitFiles({ branch: 'main', message: 'x', author, changes: { other: 'y' } })
        }
        return next(call)
      }
    ]
  })
  await assert.rejects(
    importDirectory({ ...options, repo: client.repository('demo') }),
    (error) => error instanceof BlobwireError && error.is('ref_mismatch')
  )
  const { entries } = await options.repo.getTree({ revision: 'main' })
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['other']
  )
})

test('the progress ends with all files, those included that were not sent', async (context) => {
  const served = await largeServer(context)
  const options = await optionsFor(context, served)
  const large = largeContent(100_000)
  await writeFiles(options.directory, { a: large, b: large, c: 'x', d: large.subarray(0, 90_000) })
  const told: number[] = []
  let last: unknown
  const onProgress: ImportOptions['onProgress'] = (progress) => {
    last = { ...progress }
    if (progress.phase === 'upload') told.push(progress.transferredBytes)
  }
  await importDirectory({ ...options, onProgress })
  const total = { totalFiles: 4, totalBytes: 290_001, transferredBytes: 290_001, files: 4 }
  assert.ok((told.at(-1) ?? 0) >= 290_000, `${told} before the commit`)
  assert.deepEqual(last, { ...total, phase: 'commit', bytesPerSecond: 0 })
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b)
  )
})

test('the share that is done is that of bytes, or of files where their sizes are not known', () => {
  const progress = { phase: 'write', files: 1, totalFiles: 4, transferredBytes: 1_500_000, bytesPerSecond: 0 } as const
  const [known, unknown] = [
    { ...progress, totalBytes: 3_000_000, bytesPerSecond: 500_000 },
    { ...progress, totalBytes: undefined }
  ]
  assert.deepEqual([known, unknown].map(transferView.share), [
    [1_500_000, 3_000_000],
    [1, 4]
  ])
  assert.deepEqual([known, unknown].map(transferView.text), [
    'write: 1/4 files, 1.5 MB of 3.0 MB, 0.5 MB/s',
    'write: 1/4 files, 1.5 MB'
  ])
})

test('a file of tokens that is damaged is told, with what to do', async (context) => {
  const directory = await temporaryDirectory(context)
  await writeFiles(directory, { 'resume.json': '{' })
  assert.throws(
    () => new ResumeFile(join(directory, 'resume.json'), 'demo'),
    (error) => error instanceof CommandError && /resume.json cannot be read; remove it/.test(error.message)
  )
})
