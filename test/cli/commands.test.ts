/** The command `blobwire`: what each command prints, and its exit code. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { temporaryDirectory } from '../store/support.ts'
import { GitRepository } from '../support/git.ts'
import { longHistory } from '../support/history/long-history.ts'
import { writeHistory } from '../support/history/write-history.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { blobwire, type RunOptions } from './run.ts'

describe('blobwire', () => {
  let fixture: TestServer
  let env: Record<string, string>
  const run = (args: string, options: RunOptions = {}) =>
    blobwire(args.split(' '), { ...options, env: { ...env, ...options.env } })

  before(async () => {
    fixture = await testServer()
    env = { BLOBWIRE_ENDPOINT: fixture.server.http, GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org' }
  })
  after(() => fixture[Symbol.asyncDispose]())

  test('put commits standard input or a file, get reads it, ls, log, refs and diff list it', async (context) => {
    const absent = await run('put demo a.txt', { stdin: 'hello\n' })
    assert.deepEqual([absent.code, absent.stdout], [4, ''])
    assert.match(absent.stderr, /^blobwire: getRepository at .*: repository demo not found.*\nhint: .*\n$/)
    const first = await run('put demo a.txt --create -m First', { stdin: 'hello\n' })
    assert.equal(first.code, 0, first.stderr)
    assert.match(first.stdout, /^[0-9a-f]{40} refs\/heads\/main\n$/)
    const file = join(await temporaryDirectory(context), 'run.sh')
    await writeFile(file, '#!/bin/sh\n')
    const author = ['--author', 'Bob <bob@example.org>']
    const third = await blobwire(['put', 'demo', 'bin/run', file, '-x', '--json', ...author], { env })
    const { oid: head } = JSON.parse(third.stdout) as { oid: string }
    assert.equal((await run('get demo a.txt')).stdout, 'hello\n')
    assert.equal((await run('ls')).stdout, 'demo\n')
    assert.equal((await run('ls -l')).stdout, 'sha1   refs/heads/main demo\n')
    assert.equal((await run('ls demo')).stdout, 'a.txt\nbin/\n')
    assert.equal((await run('ls demo bin')).stdout, 'run\n')
    assert.equal((await run('ls -zR demo')).stdout, 'a.txt\0bin\0bin/run\0')
    assert.match(
      (await run('ls -lR demo')).stdout,
      /^100644 .{40} a\.txt\n040000 .{40} bin\/\n100755 .{40} bin\/run\n$/
    )
    assert.equal((await run('refs demo')).stdout, `${head} refs/heads/main\n`)
    assert.equal((await run('refs demo refs/tags/')).stdout, '')
    const log = (await run('log demo')).stdout.split('\n')
    assert.match(log[0] ?? '', new RegExp(`^${head} \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d \\+0000 Bob: Put bin/run$`))
    assert.match(log[1] ?? '', /\+0000 Ada: First$/)
    assert.equal((await run('log demo -n 1')).stdout.trimEnd().split('\n').length, 1)
    assert.match((await run('log demo --path a.txt')).stdout, /^.* Ada: First\n$/)
    assert.equal((await run('diff demo main~1')).stdout, 'A\tbin/run\n')
    assert.deepEqual(
      [(await run('diff demo main~1 --exit-code')).code, (await run('diff demo main --exit-code')).code],
      [1, 0]
    )
    const copy = join(await temporaryDirectory(context), 'copy')
    const got = await run(`get demo bin/run -o ${copy} --json`)
    assert.deepEqual(JSON.parse(got.stdout), { oid: '1a2485251c33a70432394c93fb89330ef214bfc9', size: 10 })
    assert.equal(await readFile(copy, 'utf8'), '#!/bin/sh\n')
  })

  test('--json: a line for each item, and errors with their exit code', async () => {
    await run('put json a.txt --create', { stdin: 'a' })
    await run('put json b.txt', { stdin: 'b' })
    const lines = (await run('ls json --json')).stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).path),
      ['a.txt', 'b.txt']
    )
    const { code, stdout, stderr } = await run('get json c.txt --json')
    const { error } = JSON.parse(stderr)
    assert.deepEqual([code, stdout, error.code, error.reason, error.exitCode], [4, '', 'not_found', 'path', 4])
    const usage = await run('get json --json')
    assert.deepEqual([usage.code, JSON.parse(usage.stderr).error.exitCode], [2, 2])
  })

  test('store import brings a repository of Git into a store, and store export out of it', async (context) => {
    const source = new GitRepository(context, 'sha1')
    await writeHistory(source, longHistory({ commits: 2 }))
    const directory = await temporaryDirectory(context)
    const store = ['--store', 'git', '--data', join(directory, 'data')]
    const brought = await blobwire(['store', 'import', source.directory, 'team/site', ...store])
    assert.match(brought.stdout, /^team\/site: \d+ objects, \d+ refs\n$/, brought.stderr)
    const exported = await blobwire(['store', 'export', '--to', join(directory, 'exports'), ...store])
    assert.match(exported.stdout, /^team\/site: \d+ objects, \d+ refs in .*\n$/, exported.stderr)
    const absent = await blobwire(['store', 'export', 'none', '--to', join(directory, 'exports'), ...store])
    assert.equal(absent.code, 4, absent.stderr)
    const wrong = await blobwire(['store', 'export', '--to', directory])
    assert.match(wrong.stderr, /^blobwire: --store must be git or postgres.*\nhint: blobwire store export --help/)
    assert.equal(wrong.code, 2)
  })
})
