/** The fixture as a process: its start line, its flags, and how it ends. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../../server-fixture/options.ts'
import { endWithParent } from '../../server-fixture/process.ts'
import { UsageError } from '../../server-fixture/usage-error.ts'
import { createClient } from '../../src/index.ts'
import { temporaryDirectory } from '../store/support.ts'
import { isAlive, startNode, startProgram } from '../support/child.ts'
import { until } from '../support/until.ts'

const main = fileURLToPath(new URL('../../server-fixture/main.ts', import.meta.url))

async function runToEnd(...flags: string[]) {
  const child = startProgram(process.execPath, main, ...flags)
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const [code] = await once(child, 'exit')
  return { code, out, err }
}

test('one line of JSON when it is ready, logs on stderr, SIGTERM answers what was accepted and ends with 0', async () => {
  const flags = [main, '--http-port', '0', '--grpc-port', '0', '--token', 'sesame-tok']
  const child = startProgram(process.execPath, ...endWithParent, ...flags)
  let out = ''
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const ready = new Promise<{ http: string; grpc: string }>((resolve) => {
    child.stdout.on('data', (chunk) => {
      out += chunk
      if (out.endsWith('\n')) resolve(JSON.parse(out))
    })
  })
  const { http, grpc } = await ready
  assert.match(http, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.match(grpc, /^http:\/\/127\.0\.0\.1:\d+$/)
  const clients = (['json', 'msgpack', 'grpc'] as const).map((transport) =>
    createClient({ endpoint: http, transport, token: 'sesame-tok' })
  )
  const [first] = clients
  await first?.createRepository('demo')
  await Promise.all(clients.map((client) => client.warmUp()))
  const content = new Uint8Array(200_000).fill(7)
  const exited = once(child, 'exit')
  let began = 0
  const calls = clients.flatMap((client) => Array.from({ length: 20 }, () => client.storeBlob('demo', content)))
  for (const call of calls)
    call.then(
      () => began++ || child.kill('SIGTERM'),
      () => undefined
    )
  const outcomes = await Promise.allSettled(calls)
  const [code] = await exited
  assert.equal(code, 0, err)
  // Accepted calls were answered; later ones were refused or cut off, and none was answered wrongly.
  assert.ok(outcomes.some(({ status }) => status === 'fulfilled'))
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'unavailable')
  await Promise.all(clients.map((client) => client.close()))
  assert.equal(out.split('\n').length, 2)
  assert.match(err, /"event":"draining"/)
  assert.doesNotMatch(out + err, /sesame-tok/)
})

test('flags that cannot be used: the message names the flag, its value and the allowed ones; exit 2', async () => {
  const cases: [string[], RegExp][] = [
    [['--http-port', '70000'], /^--http-port "70000": must be a port from 0 to 65535/],
    [['--store', 'disk'], /--store "disk": must be memory, git or postgres/],
    [['--workers', '2'], /--workers requires --store postgres/],
    [['--store', 'git', '--data', 'a', '--git-cache', 'b'], /--git-cache requires --store memory or postgres/],
    [
      ['--store', 'postgres', '--database', 'postgres://git@localhost', '--workers', '0'],
      /--workers "0": must be auto or a number/
    ],
    [['--database', 'embedded'], /--database requires --store postgres/],
    [['--store', 'git'], /--store git requires --data DIR/],
    [['--tls-cert', 'x'], /--tls-cert and --tls-key must be given together/],
    [['--tls-cert', '/none', '--tls-key', '/none'], /--tls-cert "\/none": ENOENT/],
    [['--token', 'two words'], /--token: must be a bearer token/],
    [['--faults', 'x.json'], /--faults "x.json": ENOENT/],
    [['--max-upload-bytes', '20GiB'], /--max-upload-bytes "20GiB": must be a positive integer/],
    [['--upload-idle-seconds', '0'], /--upload-idle-seconds "0": must be a positive integer/],
    [['--upload-idle-seconds', '4294967296'], /--upload-idle-seconds 4294967296: must be at most 4294967295/],
    [['--nonsense'], /--nonsense/]
  ]
  for (const [flags, message] of cases) {
    await assert.rejects(readOptions(flags), (error: Error) => {
      assert.ok(error instanceof UsageError, String(error))
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /two words/)
      return true
    })
  }
  const { code, out, err } = await runToEnd('--token', 'two words')
  assert.deepEqual([code, out], [2, ''])
  assert.match(err, /^--token: must be a bearer token.*\nusage: .*--help lists them\n$/)
  assert.doesNotMatch(err, /two words/)
})

test('a token comes from a file or a variable, the flag first; none of their messages shows it', async (context) => {
  const directory = await temporaryDirectory(context)
  const [file, other] = [`${directory}/token`, `${directory}/other`]
  await writeFile(file, 'of-file\n')
  await writeFile(other, 'two words\n')
  const tokenOf = async (flags: string[], environment: NodeJS.ProcessEnv = {}) =>
    (await readOptions(flags, environment))?.grants?.map(({ token }) => token)
  const variables = { BLOBWIRE_SERVER_TOKEN: 'of-variable', BLOBWIRE_SERVER_TOKEN_FILE: file }
  assert.deepEqual(await tokenOf([]), [])
  assert.deepEqual(await tokenOf([], { BLOBWIRE_SERVER_TOKEN: '', BLOBWIRE_TOKEN: 'of-client' }), [])
  assert.deepEqual(await tokenOf([], variables), ['of-variable'])
  assert.deepEqual(await tokenOf([], { BLOBWIRE_SERVER_TOKEN_FILE: file }), ['of-file'])
  assert.deepEqual(await tokenOf(['--token-file', file], variables), ['of-file'])
  assert.deepEqual(await tokenOf(['--token', 'of-flag'], variables), ['of-flag'])
  for (const [flags, environment, message] of [
    [['--token', 'a', '--token-file', file], {}, /^--token and --token-file exclude each other/],
    [['--token-file', other], {}, /^--token-file: must be a bearer token/],
    [[], { BLOBWIRE_SERVER_TOKEN: 'two words' }, /^BLOBWIRE_SERVER_TOKEN: must be a bearer token/],
    [[], { BLOBWIRE_SERVER_TOKEN_FILE: `${directory}/none` }, /^BLOBWIRE_SERVER_TOKEN_FILE ".*none": ENOENT/]
  ] as const) {
    await assert.rejects(readOptions([...flags], environment), (error: Error) => {
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /two words/)
      return error instanceof UsageError
    })
  }
})

test('limits that have a flag', async () => {
  const limits = {
    maxUploadBytes: 5,
    uploadIdleSeconds: 7,
    maxInFlightBytes: 2 ** 27,
    maxConnectionInFlightBytes: 2 ** 26
  }
  const flags = ['max-upload-bytes', 'upload-idle-seconds', 'max-in-flight-bytes', 'max-connection-in-flight-bytes']
  const values = Object.values(limits).flatMap((value, index) => [`--${flags[index]}`, `${value}`])
  assert.deepEqual((await readOptions(values))?.limits, limits)
})

test('a data directory of a later version, or with a damaged journal: a sentence with the reason, exit 3', async (context) => {
  const directory = await temporaryDirectory(context)
  const flags = ['--http-port', '0', '--grpc-port', '0', '--store', 'git', '--data', directory]
  await mkdir(join(directory, '~requests'))
  await writeFile(join(directory, '~requests', '0000000001'), 'no record')
  await writeFile(join(directory, '~requests', '0000000002'), '')
  const damaged = await runToEnd(...flags)
  assert.deepEqual([damaged.code, damaged.out], [3, ''])
  assert.match(damaged.err, /^cannot start: the journal of request keys is damaged: .*byte 0 \(journal_damaged\)\n$/)
  await writeFile(join(directory, '~format'), '{"format":4}')
  const later = await runToEnd(...flags)
  assert.deepEqual([later.code, later.out], [3, ''])
  assert.match(later.err, /^cannot start: the data directory .* its format is 4; .* \(data_format\)\n$/)
})

test('a port that is taken, of any listener: one line on stderr, exit 1', async (context) => {
  const child = startNode(...endWithParent, main, '--http-port', '0', '--grpc-port', '0')
  context.after(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const { http, grpc } = JSON.parse(String(line))
  // Before workers are started, which would wait for this database.
  const workers = ['--workers', '1', '--store', 'postgres', '--database', 'postgres://git@127.0.0.1:1/none']
  const taken = [
    ['--http-port', '0', '--grpc-port', '0', '--admin-port', new URL(http).port, ...workers],
    ['--http-port', new URL(http).port, '--grpc-port', '0'],
    ['--http-port', '0', '--grpc-port', new URL(grpc).port]
  ]
  for (const flags of taken) {
    const { code, err } = await runToEnd(...flags)
    assert.equal(code, 1)
    assert.match(err, /^cannot start: .*is taken.*EADDRINUSE\)\n$/)
  }
  child.kill('SIGTERM')
  await once(child, 'exit')
})

test('a server ends with the process that started it, even where that was killed', async () => {
  const program = new URL('../../server-fixture/process.ts', import.meta.url).href
  const start = `import { startServerProcess } from '${program}'; console.log((await startServerProcess()).pid)`
  const child = startNode('--input-type=module', '-e', start)
  const [pid] = await once(child.stdout, 'data')
  assert.ok(isAlive(Number(pid)))
  child.kill('SIGKILL')
  await until(() => !isAlive(Number(pid)), 'the server ends')
})
