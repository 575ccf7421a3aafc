/** What a terminal gets, and what a pipe gets; interruptions, readers that leave, and completion. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { main } from '../../cli/command-line.ts'
import { withClient } from '../../cli/connection/open-client.ts'
import { startProgram } from '../support/child.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { temporaryDirectory } from './directories.ts'
import { blobwire, type RunOptions } from './run.ts'

const author = { name: 'Ada\x1b[31m', email: 'ada@example.org' }
const path = 'a\x1b]0;title\x07\u202egpj.exe'

describe('terminals', () => {
  let fixture: TestServer
  const run = (args: readonly string[], options: RunOptions = {}) =>
    blobwire(args, { ...options, env: { BLOBWIRE_ENDPOINT: fixture.server.http, ...options.env } })

  before(async () => {
    fixture = await testServer()
    const repo = fixture.client().repository('odd')
    await repo.createRepository()
    const changes = new Map([
      [path, 'red \x1b[31m\n\ttext\u009b'],
      ['family', '👨‍👩‍👧']
    ])
    await repo.commitFiles({ branch: 'main', changes, message: 'One\x1b[2J\n\nmore\n', author })
  })
  after(() => fixture[Symbol.asyncDispose]())

  test('on a terminal control characters of a repository are shown, not sent; a pipe gets everything as it is', async () => {
    const tty = { isTTY: true, env: { NO_COLOR: '1' } }
    assert.equal((await run(['ls', 'odd'], tty)).stdout, 'a\\x1b]0;title\\x07\\u{202e}gpj.exe\nfamily\n')
    assert.equal((await run(['ls', 'odd'])).stdout, `${path}\nfamily\n`)
    assert.match((await run(['log', 'odd'], tty)).stdout, /Ada\\x1b\[31m: One\\x1b\[2J\n$/)
    assert.equal((await run(['get', 'odd', path], tty)).stdout, 'red \\x1b[31m\n\ttext\\x9b')
    assert.equal((await run(['get', 'odd', path])).stdout, 'red \x1b[31m\n\ttext\u009b')
    assert.equal((await run(['get', 'odd', 'family'], tty)).stdout, '👨‍👩‍👧')
    const json = (await run(['ls', 'odd', '--json'], tty)).stdout
    assert.doesNotMatch(json.replaceAll('\n', ''), /[\p{Cc}\u202e]/u)
    assert.equal(JSON.parse(json.split('\n')[0] ?? '').path, path)
    const { stderr } = await run(['get', 'odd', 'no\x1b[2Jthing'], tty)
    assert.match(stderr, /no(\\x1b|\\u001b)\[2Jthing/)
    assert.ok(!stderr.includes('\x1b'))
  })

  test('colours are for terminals, unless NO_COLOR, TERM or FORCE_COLOR says otherwise', async () => {
    const isColoured = async (isTTY: boolean, env: Record<string, string> = {}) =>
      (await run(['refs', 'odd'], { isTTY, env })).stdout.includes('\x1b[')
    assert.deepEqual(
      [
        await isColoured(true),
        await isColoured(false),
        await isColoured(true, { NO_COLOR: '1' }),
        await isColoured(true, { NO_COLOR: '' }),
        await isColoured(true, { TERM: 'dumb' }),
        await isColoured(false, { FORCE_COLOR: '1' }),
        await isColoured(true, { FORCE_COLOR: '0' })
      ],
      [true, false, false, true, false, true, false]
    )
  })

  test('a watch goes on until it is interrupted, and tells each move', async () => {
    const interruption = new AbortController()
    let isMoved = false
    const { code, stdout, stderr } = await run(['watch', 'odd', 'refs/heads'], {
      signal: interruption.signal,
      onOutput(text) {
        if (text.includes('side')) interruption.abort('SIGINT')
        else if (!isMoved) {
          isMoved = true
          const changes = { b: 'b' }
          void fixture
            .client()
            .commitFiles('odd', { branch: 'side', changes, message: 'x', author: { name: 'A', email: 'a' } })
        }
      }
    })
    assert.match(stdout, /^start \+ refs\/heads\/main [0-9a-f]{40}\n\d{4}-.*Z \+ refs\/heads\/side [0-9a-f]{40}\n$/)
    assert.deepEqual([code, stderr], [130, ''])
  })

  test('an interruption ends calls that take no signal', async () => {
    const interruption = new AbortController()
    const io = {
      stdin: Readable.from([]),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      signal: new AbortController().signal,
      env: { BLOBWIRE_ENDPOINT: fixture.server.http }
    }
    const { signal } = interruption
    const call = withClient({ io, signal }, {}, (client) => {
      interruption.abort()
      return client.listRepositories()
    })
    await assert.rejects(call, { code: 'cancelled', reason: 'client_closed' })
  })

  test('a reader that leaves is no error, and ends what is under way', async () => {
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      }
    })
    const stderr = new PassThrough()
    const env = { BLOBWIRE_ENDPOINT: fixture.server.http }
    const { signal } = new AbortController()
    const code = await main(['watch', 'odd'], { stdin: Readable.from([]), stdout, stderr, env, signal })
    assert.deepEqual([code, stderr.read()], [0, null])
  })

  test('an error is a line and a hint, with --debug everything; the exit code says of what kind it is', async () => {
    const cases = [
      [2, ['ls', 'a//b'], /^blobwire: [^\n]*\n$/],
      [4, ['ls', 'odd', '--revision', 'none'], /^blobwire: [^\n]*\nhint: blobwire refs[^\n]*\n$/],
      [4, ['ls', 'none'], /^blobwire: [^\n]*\nhint: blobwire ls [^\n]*\n$/],
      [6, ['put', 'odd', 'x', '--expected-head', `${'0'.repeat(39)}1`], /\nhint: somebody else was first/],
      [7, ['ls', '--endpoint', 'http://127.0.0.1:1'], /\nhint: blobwire serve starts a server;/],
      [7, ['stats', '--endpoint', 'http://127.0.0.1:1'], /\nhint: blobwire serve starts a server;/],
      [1, ['get', 'odd', 'family', '-o', '/nowhere/file'], /^blobwire: [^\n]*\n$/]
    ] as const
    for (const [code, args, message] of cases) {
      const found = await run(args, { env: { BLOBWIRE_RETRY: 'false' } })
      assert.match(found.stderr, message)
      assert.equal(found.code, code, found.stderr)
    }
    const { stderr } = await run(['ls', 'none', '--debug'])
    assert.match(stderr, /"reason": "repository"[\s\S]*\n {4}at /)
  })

  test('a token comes from a variable or a file, and is no argument', async (context) => {
    const token = { token: 'secret-1', access: 'read', repositories: ['*'] } as const
    const served = await testServer({ grants: [token] })
    context.after(() => served[Symbol.asyncDispose]())
    const file = join(await temporaryDirectory(context), 'token')
    await writeFile(file, 'secret-1\n')
    const { http: BLOBWIRE_ENDPOINT } = served.server
    const codes = []
    for (const env of [
      {},
      { BLOBWIRE_TOKEN: 'wrong' },
      { BLOBWIRE_TOKEN: 'secret-1' },
      { BLOBWIRE_TOKEN_FILE: file }
    ]) {
      const { code, stderr } = await blobwire(['ls'], { env: { BLOBWIRE_ENDPOINT, ...env } })
      codes.push(code)
      assert.doesNotMatch(stderr, /wrong|secret/)
    }
    assert.deepEqual(codes, [5, 5, 0, 0])
    const figures = await blobwire(['stats'], { env: { BLOBWIRE_ENDPOINT, BLOBWIRE_TOKEN: 'secret-1' } })
    assert.match(figures.stderr, /HTTP 403 .*with the right to operate\n$/)
    assert.equal(figures.code, 5)
    const given = await blobwire(['ls', '--token', 'secret-1'], { env: { BLOBWIRE_ENDPOINT } })
    assert.match(given.stderr, /BLOBWIRE_TOKEN_FILE/)
    assert.equal(given.code, 2)
  })

  test('config check tells what a configuration comes to, or all mistakes, and no secrets', async (context) => {
    const file = join(await temporaryDirectory(context), 'blobwire.yaml')
    await writeFile(
      file,
      'defaults: { endpoint: "http://a.example:1" }\nclients: { one: {}, two: { transport: json } }\n'
    )
    const env = { BLOBWIRE_TOKEN: 'secret-1' }
    const good = await blobwire(['config', 'check', file], { env })
    assert.equal(
      good.stdout,
      'one: http://a.example:1, auto, with a token\ntwo: http://a.example:1, json, with a token\n'
    )
    const several = await blobwire(['ls'], { env: { ...env, BLOBWIRE_CONFIG: file } })
    assert.match(several.stderr, /choose one of one, two by --client/)
    await writeFile(file, 'defaults: { endpont: "x", timeoutMs: 30 sec }\n')
    const bad = await blobwire(['config', 'check', file], { env })
    assert.match(
      bad.stderr,
      /^blobwire: 2 mistakes in the configuration:\n.*endpont.*did you mean endpoint.*\n.*timeoutMs/
    )
    assert.deepEqual([bad.code, `${good.stdout}${bad.stderr}`.includes('secret')], [2, false])
  })

  test('health and stats tell of a server; stats on a terminal begin at its top', async () => {
    const healthy = await run(['health'])
    assert.match(healthy.stdout, /^ready http:\/\/127\.0\.0\.1:\d+ blobwire \d+\.\d+\.\d+, \d+ ms\n {2}ok store/)
    const { status, checks } = JSON.parse((await run(['health', '--json'])).stdout)
    assert.deepEqual([healthy.code, status, checks.store.ok], [0, 'ready', true])
    const interruption = new AbortController()
    const alone = run(['stats', '--json'])
    const watched = await run(['stats', '--watch'], {
      isTTY: true,
      env: { NO_COLOR: '1' },
      signal: interruption.signal,
      onOutput: () => interruption.abort('SIGTERM')
    })
    assert.ok(watched.stdout.startsWith('\x1b[H\x1b[Jready blobwire '))
    assert.match(watched.stdout, /\ncalls .*\/s.*\nlatency {2}p50/)
    assert.equal(watched.code, 143)
    const { code, stdout } = await alone
    assert.deepEqual([code, JSON.parse(stdout).state], [0, 'ready'])
  })

  test('bash completes commands, flags, values and files', async (context) => {
    const directory = await temporaryDirectory(context)
    await mkdir(join(directory, 'site'))
    await writeFile(join(directory, 'script'), (await blobwire(['completion', 'bash'])).stdout)
    const tries = [
      ['s'],
      ['serve', '--st'],
      ['serve', '--store', ''],
      ['config', ''],
      ['import', '--endpoint', 'http', ':', '//127.0.0.1', ':', '4100', ''],
      ['put', 'demo', 'a.txt', ''],
      ['put', 'demo', '']
    ]
    const script = tries.map((words) => {
      const line = ['blobwire', ...words].map((word) => `'${word}'`).join(' ')
      return `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; COMPREPLY=(); _blobwire; echo "\${COMPREPLY[*]}"`
    })
    const output = execFileSync('bash', ['-c', ['source ./script', ...script].join('\n')], { cwd: directory })
    const completed = output.toString().split('\n').slice(0, -1)
    assert.deepEqual(
      completed.map((line) => line.split(' ').toSorted().join(' ')),
      ['serve stats store', '--store', 'git memory postgres', 'check', 'site', 'script site', '']
    )
  })

  test('serve prints one line of JSON, and ends with 0 when it is told to', async () => {
    const child = startProgram(process.execPath, 'cli/main.ts', 'serve', '--http-port', '0', '--grpc-port', '0')
    const [line] = await once(child.stdout, 'data')
    assert.deepEqual(Object.keys(JSON.parse(String(line))), ['http', 'grpc'])
    child.kill('SIGINT')
    assert.deepEqual(await once(child, 'close'), [0, null])
    const wrong = await blobwire(['serve', '--http-port', 'x'])
    assert.deepEqual([wrong.code, (await blobwire(['serve', '--store', 'sqlite'])).code], [2, 2])
  })
})
