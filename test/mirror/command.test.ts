/** The command `mirror`: what it prints, and its exit codes. */
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { mirrorView } from '../../cli/mirror/progress-view.ts'
import { progressDisplay } from '../../cli/output/progress-display.ts'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { blobwire } from '../cli/run.ts'
import { GitRepository } from '../support/git.ts'
import { longHistory } from '../support/history/long-history.ts'
import { writeHistory } from '../support/history/write-history.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const runMirror = (...args: string[]) => blobwire(['mirror', ...args])

test('the program tells first what it leaves out, then what it did, and exits with 0, 1 or 3', async (context) => {
  const source = new GitRepository(context, 'sha1')
  const large = new Uint8Array(1024 * 1024 + 1)
  await writeHistory(source, longHistory({ commits: 3, large }))
  const served = atEnd(context, await testServer({ store: 'git', limits: { maxBlobBytes: 1024 * 1024 } }))
  const args = [source.directory, '--quiet', '--endpoint', served.server.http, '--repository', 'copy', '--verify']
  const left = await runMirror(...args, '--data', served.data)
  assert.equal(left.stderr, '')
  assert.match(
    left.stdout,
    new RegExp(
      [
        '^objects that are too large for the server \\(1\\):',
        '  blob [0-9a-f]{40} 1048577 bytes assets/large.bin',
        'refs that cannot be copied, and are left out \\(1\\):',
        '  refs/heads/large: blob [0-9a-f]{40} has 1048577 bytes, the server takes 1048576 \\(assets/large.bin\\)',
        '\\d+ objects \\([0-9.]+ MB\\) sent, \\d+ refs updated in [0-9.]+ s, \\d+ objects/s',
        'equal, but for the refs that are left out: refs and HEAD, and git fsck --strict finds nothing new\n$'
      ].join('\n')
    )
  )
  assert.equal(left.code, 3)
  source.run(['update-ref', '-d', 'refs/heads/large'])
  source.run(['update-ref', '-d', 'refs/heads/empty'])
  const different = await runMirror(...args)
  assert.match(different.stdout, /^0 objects .*\nDIFFERENT: only on the server: [0-9a-f]{40} refs\/heads\/empty\n$/)
  assert.equal(different.code, 1)
  const equal = await runMirror(...args, '--prune')
  assert.match(equal.stdout, /^0 objects .* 1 refs updated .*\nequal: refs and HEAD\n$/)
  assert.equal(equal.code, 0)
})

test('in a hook of another repository, the source is the one that was named', async (context) => {
  const [source, other] = [new GitRepository(context, 'sha1'), new GitRepository(context, 'sha256')]
  await writeHistory(source, longHistory({ commits: 3 }))
  const served = atEnd(context, await testServer())
  const variables = { GIT_DIR: other.directory, GIT_OBJECT_DIRECTORY: `${other.directory}/objects` }
  const args = ['--quiet', '--endpoint', served.server.http, '--repository', 'copy', '--verify']
  Object.assign(process.env, variables)
  const { code, stdout, stderr } = await runMirror(source.directory, ...args).finally(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
  })
  assert.deepEqual([code, stderr], [0, ''], stdout)
  const refs = source.run(['for-each-ref', '--format=%(refname)']).trim().split('\n')
  assert.equal((await served.client().listRefs('copy', { pageSize: 1000 })).refs.length, refs.length)
})

test('an interruption ends a run that waits for the server', async (context) => {
  const source = new GitRepository(context, 'sha1')
  await writeHistory(source, longHistory({ commits: 1 }))
  const faults = new Faults({ rules: [{ rpc: 'GetRepository', fault: { kind: 'silence' } }] })
  const interruption = new AbortController()
  const served = atEnd(context, await testServer({ faults }))
  const run = blobwire(['mirror', source.directory, 'copy', '--endpoint', served.server.http], {
    signal: interruption.signal
  })
  await until(() => faults.fired('silence') > 0, 'the call waits')
  interruption.abort('SIGINT')
  const { code, stdout, stderr } = await run
  assert.deepEqual([code, stdout], [130, ''])
  assert.match(stderr, /^interrupted; .* the same command sends the rest\n$/)
})

test('flags that cannot be used', async () => {
  const enough = ['--endpoint', 'http://127.0.0.1:1', '--repository', 'copy']
  for (const [args, message] of [
    [['.'], /^blobwire: a repository is required/],
    [enough, /missing required argument 'source'/],
    [['.', '..', ...enough], /one repository is required/],
    [['.', ...enough, '--transport', 'smtp'], /'smtp' is invalid. Allowed choices are auto, json, msgpack, grpc/],
    [['.', ...enough, '--data', '.'], /--data needs --verify/],
    [['.', ...enough, '--verify', '--data', './nowhere'], /--data: there is no directory .\/nowhere/],
    [['.', ...enough, '--purge'], /unknown option '--purge'/]
  ] as const) {
    const { code, stderr } = await runMirror(...args)
    assert.match(stderr, message)
    assert.equal(code, 2)
  }
})

test('where there is no terminal, the progress is a line now and then', async () => {
  const written: string[] = []
  const progress = {
    phase: 'upload',
    totalFiles: 12_000,
    totalBytes: 1,
    bytesPerSecond: 2_000_000,
    refs: 0,
    totalRefs: 7
  } as const
  let now = 0
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    written.push(chunk.toString())
    done()
  }
  const stream = new Writable({ write })
  const display = await progressDisplay(stream, mirrorView, { now: () => now })
  for (now = 0; now <= 12_000; now += 1000) {
    display.show({ ...progress, files: now, transferredBytes: now * 1000 })
  }
  display.end()
  assert.deepEqual(written, [
    '5000/12000 objects, 5.0 MB, 2.0 MB/s, 0/7 refs\n',
    '10000/12000 objects, 10.0 MB, 2.0 MB/s, 0/7 refs\n'
  ])
})
