/** The commands `import` and `checkout`: a directory goes into a Git store and comes back. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { startProgram } from '../support/child.ts'
import { largeContent, largeServer } from '../support/large-blobs.ts'
import { atEnd, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { listing, makeOddDirectory, temporaryDirectory, writeFiles } from './directories.ts'
import { blobwire } from './run.ts'

const leaveOut = ['--exclude', '*.log', '--exclude', 'build/']

function flagsOf({ server }: TestServer, transport: string): string[] {
  const endpoint = transport === 'grpc' ? server.grpc.replace('http', 'grpc') : server.http
  return ['--endpoint', endpoint, '--repository', 'copy', '--transport', transport]
}

test('a directory comes back as it was, and Git finds nothing wrong', async (context) => {
  const [source, target] = [await makeOddDirectory(context), join(await temporaryDirectory(context), 'new')]
  const served = await largeServer(context, { store: 'git' })
  const state = join(target, '..', 'state', 'resume.json')
  const flags = flagsOf(served, 'grpc')
  // On a machine that is busy, it would tell of its progress.
  const backUp = [source, ...flags, ...leaveOut, '--quiet', '--resume-file', state]
  const first = await blobwire(['import', ...backUp])
  assert.match(first.stdout, /^main is at [0-9a-f]{40}: 12 files \(0.8 MB\), 12 new or changed, 0 removed\n$/)
  assert.deepEqual([first.code, first.stderr, existsSync(state)], [0, '', false])
  const restored = await blobwire(['checkout', target, '--quiet', ...flags])
  assert.match(restored.stdout, /^tree [0-9a-f]{40}: 12 files written \(0.8 MB\), 0 unchanged, 0 removed\n$/)
  assert.deepEqual([restored.code, restored.stderr], [0, ''])
  const kept = await listing(source, /\.log$|^build\//)
  assert.equal(kept.length, 12)
  assert.deepEqual(await listing(target), kept)
  const git = (...args: string[]) => execFileSync('git', ['-C', join(served.data, 'copy.git'), ...args]).toString()
  assert.equal(git('fsck', '--strict', '--no-dangling'), '')
  assert.equal(git('rev-list', '--count', 'main'), '1\n')
})

test('only what differs is sent, and written', async (context) => {
  const [source, directory] = [await makeOddDirectory(context), await temporaryDirectory(context)]
  const [target, part] = [join(directory, 'all'), join(directory, 'part')]
  const flags = flagsOf(await largeServer(context), 'auto')
  const backUp = [source, ...flags, ...leaveOut, '--resume-file', join(directory, 'resume.json')]
  await blobwire(['import', ...backUp])
  await blobwire(['checkout', target, ...flags])

  const again = await blobwire(['import', ...backUp])
  assert.equal(again.stdout, 'main is equal to the directory: 12 files (0.8 MB)\n')
  // A directory in the place of a file, a file in that of a directory, a mode, and what is gone.
  await Promise.all(['empty', 'deep', 'link'].map((name) => rm(join(source, name), { recursive: true })))
  await chmod(join(source, 'large.bin'), 0o755)
  await writeFiles(source, { 'empty/file': 'x', deep: largeContent(300_000) })
  const changed = await blobwire(['import', ...backUp])
  assert.match(changed.stdout, /: 9 files \(0.7 MB\), 3 new or changed, 5 removed\n$/)
  await writeFiles(target, { 'added/later': 'x' })
  const back = await blobwire(['checkout', target, ...flags, '--remove', '--revision', 'main'])
  assert.match(back.stdout, /: 3 files written \(.* MB\), 6 unchanged, \d removed\n$/)
  assert.deepEqual(await listing(target), await listing(source, /\.log$|^build\//))
  const ofPath = await blobwire(['checkout', part, ...flags, '--path', 'Ünïcödé'])
  assert.deepEqual([ofPath.code, (await listing(part)).length], [0, 1])
})

for (const [signal, code] of [
  ['SIGKILL', null],
  ['SIGINT', 130]
] as const) {
  test(`an import that is ended by ${signal} sends the rest only when it is run again`, async (context) => {
    const source = await temporaryDirectory(context)
    const bytes = 6_000_000
    await writeFiles(source, { large: largeContent(bytes) })
    const served = await largeServer(context, { store: 'git' })
    const proxy = atEnd(context, await startTcpProxy(served.server.http))
    const state = join(await temporaryDirectory(context), 'resume.json')
    const flags = [
      '--endpoint',
      `http://127.0.0.1:${proxy.port}`,
      '--repository',
      'copy',
      '--quiet',
      '--resume-file',
      state
    ]
    proxy.setToServer({ bytesPerSecond: 20_000_000, maxHeldBytes: 64 * 1024 })
    const child = startProgram(process.execPath, 'cli/main.ts', 'import', source, ...flags)
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    await until(() => proxy.bytesToServer > bytes / 2, 'half of it is there')
    proxy.partition()
    child.kill(signal)
    const [exitCode] = await once(child, 'close')
    proxy.reset()
    proxy.setToServer({ bytesPerSecond: Number.POSITIVE_INFINITY })
    proxy.heal()
    assert.equal(exitCode, code)
    if (code !== null) assert.equal(output, 'interrupted; the same command goes on\n')
    assert.ok(existsSync(state), 'the token is there')
    const before = proxy.bytesToServer
    assert.ok(before < bytes, `${before} bytes`)
    const again = await blobwire(['import', source, ...flags])
    assert.match(again.stdout, /^main is at .* 1 new or changed/)
    const sent = proxy.bytesToServer - before
    assert.ok(sent < bytes * 0.7, `${sent} bytes of ${bytes}, after ${before}`)
    assert.ok(!existsSync(state), 'the token is gone')
  })
}

test('entries that no repository can have are told, and the program exits with 3 until they are excluded', async (context) => {
  const source = await temporaryDirectory(context)
  await writeFiles(source, { 'a/.git/config': 'x', 'a/b': 'x' })
  const listener = createServer().listen(join(source, 'socket'))
  context.after(() => listener.close())
  await once(listener, 'listening')
  const flags = flagsOf(await largeServer(context), 'auto')
  const told = await blobwire(['import', source, ...flags])
  assert.match(
    told.stdout,
    /left out \(2\):\n {2}socket: neither .* link\n {2}a\/\.git: Git has no entries of this name\n/
  )
  assert.equal(told.code, 3)
  const meant = await blobwire(['import', source, ...flags, '--exclude', '.git', '--exclude', 'socket'])
  assert.deepEqual([meant.code, meant.stdout], [0, 'main is equal to the directory: 1 files (0.0 MB)\n'])
})

test('of a work tree the files are imported, its history is not, and the message says what does', async (context) => {
  const source = await temporaryDirectory(context)
  await writeFiles(source, { '.git/config': 'x', a: 'x' })
  const served = await largeServer(context)
  const { code, stdout, stderr } = await blobwire(['import', source, ...flagsOf(served, 'auto')])
  assert.match(stdout, /^main is at [0-9a-f]{40}: 1 files/)
  assert.match(stderr, /^the history in \.git is not imported; blobwire mirror copies/m)
  assert.equal(code, 0)
})

test('failures are told in words', async (context) => {
  const source = await temporaryDirectory(context)
  const flags = flagsOf(await largeServer(context), 'auto')
  for (const [expected, message, args] of [
    [1, /^blobwire: there is no directory .*none\n$/, ['import', join(source, 'none'), ...flags]],
    [2, /^blobwire: [^\n]*branch: must not contain[^\n]*\n$/, ['import', source, ...flags, '--branch', 'a..b']],
    [2, /^blobwire: a repository is required\nhint: blobwire import --help/, ['import', source]],
    [2, /^blobwire: one repository is required\n/, ['import', source, 'other', ...flags]],
    [
      2,
      /^blobwire: --author "Ada": must be such as "Ada <ada@example.org>"\n/,
      ['import', source, 'x', '--author', 'Ada']
    ],
    [2, /^blobwire: --exclude must be a glob such as/, ['import', source, 'x', '--exclude', '']],
    [
      2,
      /^blobwire: unknown option '--exclude'\nhint: blobwire checkout --help/,
      ['checkout', 'a', 'b', '--exclude', 'x']
    ],
    [2, /^blobwire: one repository and one directory are required\n/, ['checkout', 'a']],
    [4, /^blobwire: [^\n]*nowhere[^\n]*\nhint: /, ['checkout', source, ...flags, '--repository', 'nowhere']]
  ] as const) {
    const { code, stderr } = await blobwire(args)
    assert.match(stderr, message)
    assert.equal(code, expected, stderr)
  }
})

test('names that cannot be written are listed before the first write; submodules are left out', async (context) => {
  const served = await largeServer(context)
  const repo = served.client().repository('copy')
  await repo.createRepository()
  const author = { name: 'Ada', email: 'ada@example.org' }
  const long = 'x'.repeat(256)
  await repo.commitFiles({ branch: 'main', message: 'x', author, changes: { a: 'a', [long]: 'b', [`${long}y`]: 'c' } })
  const target = await temporaryDirectory(context)
  const refused = await blobwire(['checkout', target, ...flagsOf(served, 'auto')])
  assert.match(refused.stdout, /^names that cannot be written here \(2\); nothing was written:\n {2}x+: .*\n {2}x+y: /)
  assert.deepEqual([refused.code, await listing(target)], [1, []])
  const { commit } = await repo.getCommit('main')
  const changes = { [long]: null, [`${long}y`]: null, module: { oid: commit.oid, mode: '160000' as const } }
  await repo.commitFiles({ branch: 'main', message: 'x', author, changes })
  const partial = await blobwire(['checkout', target, ...flagsOf(served, 'auto')])
  assert.match(partial.stdout, /are left out \(1\):\n {2}module: [0-9a-f]{40}\ntree .* 1 files written/)
  assert.equal(partial.code, 3)
  // The directory has nothing in the place of the submodule, which stays.
  const equal = await blobwire(['import', target, ...flagsOf(served, 'auto')])
  assert.match(equal.stdout, /main is equal to the directory: 1 files/)
})
