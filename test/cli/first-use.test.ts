/** The mistakes of somebody who uses the command for the first time: each is told in one sentence, in the user's own words. */
import assert from 'node:assert/strict'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { main } from '../../cli/command-line.ts'
import { startServer } from '../../server-fixture/server.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { temporaryDirectory } from './directories.ts'
import { blobwire, type RunOptions } from './run.ts'

describe('first use', () => {
  let fixture: TestServer
  const run = (args: readonly string[], options: RunOptions = {}) =>
    blobwire(args, { ...options, env: { BLOBWIRE_ENDPOINT: fixture.server.http, ...options.env } })

  before(async () => {
    fixture = await testServer()
    const author = { name: 'Ada', email: 'ada@example.org' }
    await fixture.client().createRepository('demo')
    await fixture.client().commitFiles('demo', { branch: 'main', changes: { a: 'a' }, message: 'One\n', author })
  })
  after(() => fixture[Symbol.asyncDispose]())

  /** Runs a command whose standard output fails, in the way in which that of a process does. */
  async function onFailing(code: string, args: readonly string[]): Promise<[exitCode: number, stderr: string]> {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => setImmediate(done, Object.assign(new Error(`${code}, write`), { code }))
    })
    const stderr = new PassThrough()
    const io = { stdin: Readable.from([]), stdout, stderr, signal: new AbortController().signal }
    const exitCode = await main(args, { ...io, env: { BLOBWIRE_ENDPOINT: fixture.server.http } })
    return [exitCode, String(stderr.read() ?? '')]
  }

  test('an output that takes no more fails the command; a reader that has gone does not, whenever it goes', async () => {
    const told = 'blobwire: the output cannot be written: ENOSPC, write\n'
    assert.deepEqual(await onFailing('ENOSPC', ['refs', 'demo']), [1, told])
    assert.deepEqual(await onFailing('ENOSPC', ['get', 'demo', 'a']), [1, told])
    assert.deepEqual(await onFailing('EPIPE', ['refs', 'demo']), [0, ''])
    assert.deepEqual(await onFailing('EPIPE', ['--help']), [0, ''])
  })

  test('put takes no empty file from a standard input that is closed or /dev/null, unless - says so', async () => {
    const device = await open('/dev/null')
    const stdin = Object.assign(Readable.from([]), { fd: device.fd })
    try {
      const streams = { stdout: new PassThrough(), stderr: new PassThrough() }
      const io = { stdin, ...streams, signal: new AbortController().signal }
      const put = (...args: string[]) =>
        main(['put', 'demo', ...args], { ...io, env: { BLOBWIRE_ENDPOINT: fixture.server.http } })
      assert.equal(await put('empty'), 2)
      assert.match(String(streams.stderr.read()), /^blobwire: \[file\] is required where standard input is closed/)
      assert.equal(await put('empty', '-'), 0)
    } finally {
      await device.close()
    }
  })

  test('messages name the flag or the variable that was given', async () => {
    const cases: [string[], Record<string, string>, RegExp][] = [
      [['ls', '--endpoint', 'foo'], {}, /^blobwire: --endpoint: must be http:.*"http:\/\/foo"\?\n$/],
      [['ls', '--timeout', '3'], {}, /^blobwire: --timeout: must be a number above 0, or a duration/],
      [['ls'], { BLOBWIRE_TOKEN_FILE: '/none' }, /^blobwire: BLOBWIRE_TOKEN_FILE: cannot be read: ENOENT/],
      [['--json', 'ls'], {}, /"unknown option '--json'; flags follow the command"/],
      [['help', 'nothing'], {}, /^blobwire: unknown command 'nothing'\nhint: blobwire --help/],
      [['serve', '--http-port', 'x'], {}, /^blobwire: --http-port "x": must be a port.*\nhint: blobwire serve --help/]
    ]
    for (const [args, env, message] of cases) {
      const { code, stdout, stderr } = await run(args, { env })
      assert.deepEqual([code, stdout], [2, ''], args.join(' '))
      assert.match(stderr, message)
    }
    assert.match((await run(['put', 'none', 'a'])).stderr, /\nhint: .*put --create/)
  })

  test('a port that is taken is told with the flags that choose another', async () => {
    const taken = Number(new URL(fixture.server.http).port)
    for (const [options, flags] of [
      [{ httpPort: taken }, '--http-port and --grpc-port choose others'],
      [{ grpcPort: taken }, '--http-port and --grpc-port choose others'],
      [{ adminPort: taken }, '--admin-port chooses another']
    ] as const) {
      const message = `127.0.0.1:${taken} is taken, perhaps by another server: ${flags}, 0 = any free port (EADDRINUSE)`
      await assert.rejects(startServer(options), { code: 'EADDRINUSE', message })
    }
  })

  test('export to a file .tgz is compressed, and says where it cannot write', async (context) => {
    const file = join(await temporaryDirectory(context), 'demo.tgz')
    await writeFile(file, '')
    assert.equal((await run(['export', 'demo', '-o', file])).code, 0)
    assert.equal((await readFile(file)).readUInt16BE(), 0x1f8b)
    const { code, stderr } = await run(['export', 'demo', '-o', '/none/demo.zip'])
    assert.deepEqual([code, stderr], [1, 'blobwire: cannot write /none/demo.zip: its directory does not exist\n'])
  })

  test('fish offers the commands of a group once, and the flags of the command that is called', async () => {
    const { stdout } = await run(['completion', 'fish'])
    assert.match(stdout, /^complete -c blobwire -n '__blobwire_after config' -a 'check'$/m)
    assert.match(stdout, /^complete -c blobwire -n '__blobwire_in config check' -l json/m)
    assert.match(stdout, /^complete -c blobwire -n '__blobwire_after' -a log -d/m)
  })
})
