/** The examples `backup-directory` and `restore` as programs: a directory goes into a Git store and comes back. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { readCommand } from '../../examples/backup/options.ts'
import { UsageError } from '../../examples/shared/command-line.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { startProgram } from '../support/child.ts'
import { largeContent, largeServer } from '../support/large-blobs.ts'
import { atEnd, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { listing, makeOddDirectory, runExample, temporaryDirectory, writeFiles } from './programs.ts'

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
  const backUp = [source, ...flags, ...leaveOut, '--resume-file', state]
  const first = await runExample('backup-directory', ...backUp)
  assert.match(first.stdout, /^main is at [0-9a-f]{40}: 12 files \(0.8 MB\), 12 new or changed, 0 removed\n$/)
  assert.deepEqual([first.code, first.stderr, existsSync(state)], [0, '', false])
  const restored = await runExample('restore', target, ...flags)
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
  await runExample('backup-directory', ...backUp)
  await runExample('restore', target, ...flags)

  const again = await runExample('backup-directory', ...backUp)
  assert.equal(again.stdout, 'main is equal to the directory: 12 files (0.8 MB)\n')
  // A directory in the place of a file, a file in that of a directory, a mode, and what is gone.
  await Promise.all(['empty', 'deep', 'link'].map((name) => rm(join(source, name), { recursive: true })))
  await chmod(join(source, 'large.bin'), 0o755)
  await writeFiles(source, { 'empty/file': 'x', deep: largeContent(300_000) })
  const changed = await runExample('backup-directory', ...backUp)
  assert.match(changed.stdout, /: 9 files \(0.7 MB\), 3 new or changed, 5 removed\n$/)
  await writeFiles(target, { 'added/later': 'x' })
  const back = await runExample('restore', target, ...flags, '--remove', '--revision', 'main')
  assert.match(back.stdout, /: 3 files written \(.* MB\), 6 unchanged, \d removed\n$/)
  assert.deepEqual(await listing(target), await listing(source, /\.log$|^build\//))
  const ofPath = await runExample('restore', part, ...flags, '--path', 'Ünïcödé')
  assert.deepEqual([ofPath.code, (await listing(part)).length], [0, 1])
})

for (const [signal, code] of [
  ['SIGKILL', null],
  ['SIGINT', 130]
] as const) {
  test(`a backup that is ended by ${signal} sends the rest only when it is run again`, async (context) => {
    const source = await temporaryDirectory(context)
    const bytes = 6_000_000
    await writeFiles(source, { large: largeContent(bytes) })
    const served = await largeServer(context, { store: 'git' })
    const proxy = atEnd(context, await startTcpProxy(served.server.http))
    const state = join(await temporaryDirectory(context), 'resume.json')
    const flags = ['--endpoint', `http://127.0.0.1:${proxy.port}`, '--repository', 'copy', '--resume-file', state]
    proxy.setToServer({ bytesPerSecond: 20_000_000, maxHeldBytes: 64 * 1024 })
    const child = startProgram(process.execPath, 'examples/backup-directory.ts', source, ...flags)
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
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
    const again = await runExample('backup-directory', source, ...flags)
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
  const told = await runExample('backup-directory', source, ...flags)
  assert.match(
    told.stdout,
    /left out \(2\):\n {2}socket: neither .* link\n {2}a\/\.git: Git has no entries of this name\n/
  )
  assert.equal(told.code, 3)
  const meant = await runExample('backup-directory', source, ...flags, '--exclude', '.git', '--exclude', 'socket')
  assert.deepEqual([meant.code, meant.stdout], [0, 'main is equal to the directory: 1 files (0.0 MB)\n'])
})

test('flags that cannot be used', () => {
  const read = (...args: string[]) => readCommand(args, { BLOBWIRE_TOKEN: 'secret' })
  const enough = ['--endpoint', 'http://127.0.0.1:1', '--repository', 'copy']
  assert.equal(read('--help'), undefined)
  const { token, message, branch } = read('docs', ...enough) ?? {}
  assert.deepEqual([token, message, branch], ['secret', 'Backup of docs', 'main'])
  const author = read('docs', ...enough, '--author', 'Ada L. <ada@example.org>')?.author
  assert.deepEqual(author, { name: 'Ada L.', email: 'ada@example.org' })
  for (const [args, message] of [
    [enough, /^one DIRECTORY is required/],
    [['.', '..', ...enough], /^one DIRECTORY is required/],
    [['.', '--endpoint', 'http://127.0.0.1:1'], /^--repository is required/],
    [['.', '--repository', 'copy'], /^--endpoint is required/],
    [['.', ...enough, '--transport', 'smtp'], /^--transport must be one of auto, json, msgpack, grpc/],
    [['.', ...enough, '--author', 'Ada'], /^--author must be such as "Ada <ada@example.org>"/],
    [['.', ...enough, '--exclude', ''], /^--exclude must be a glob such as/],
    [['.', ...enough, '--remove'], /^Unknown option '--remove'/]
  ] as const) {
    assert.throws(
      () => read(...args),
      (error) => error instanceof UsageError && message.test(error.message)
    )
  }
})

test('failures are told in words', async (context) => {
  const source = await temporaryDirectory(context)
  const flags = flagsOf(await largeServer(context), 'auto')
  for (const [name, expected, message, args] of [
    ['backup-directory', 1, /^there is no directory .*none\n$/, [join(source, 'none'), ...flags]],
    ['backup-directory', 1, /^[^\n]*branch: must not contain[^\n]*\n$/, [source, ...flags, '--branch', 'a..b']],
    ['restore', 2, /^Unknown option '--exclude'.*\n\nusage: /, [source, ...flags, '--exclude', 'x']],
    ['restore', 1, /^[^\n]*nowhere[^\n]*\n$/, [source, ...flags, '--repository', 'nowhere']]
  ] as const) {
    const { code, stderr } = await runExample(name, ...args)
    assert.match(stderr, message)
    assert.equal(code, expected)
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
  const refused = await runExample('restore', target, ...flagsOf(served, 'auto'))
  assert.match(refused.stdout, /^names that cannot be written here \(2\); nothing was written:\n {2}x+: .*\n {2}x+y: /)
  assert.deepEqual([refused.code, await listing(target)], [1, []])
  const { commit } = await repo.getCommit('main')
  const changes = { [long]: null, [`${long}y`]: null, module: { oid: commit.oid, mode: '160000' as const } }
  await repo.commitFiles({ branch: 'main', message: 'x', author, changes })
  const partial = await runExample('restore', target, ...flagsOf(served, 'auto'))
  assert.match(partial.stdout, /are left out \(1\):\n {2}module: [0-9a-f]{40}\ntree .* 1 files written/)
  assert.equal(partial.code, 3)
  // The directory has nothing in the place of the submodule, which stays.
  const equal = await runExample('backup-directory', target, ...flagsOf(served, 'auto'))
  assert.match(equal.stdout, /main is equal to the directory: 1 files/)
})
