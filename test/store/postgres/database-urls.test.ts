/** URLs and passwords of databases, and TLS to them. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { readOptions } from '../../../server-fixture/options.ts'
import { readDatabaseUrl } from '../../../server-fixture/store/postgres/database/database-url.ts'
import { PipelinedDatabase } from '../../../server-fixture/store/postgres/database/pipelined-database.ts'
import { newDatabase } from '../../support/database.ts'
import { pem } from '../../support/pem.ts'
import { listen } from '../../support/tcp-server.ts'
import { temporaryDirectory } from '../support.ts'

const secret = 'correct-horse-battery'
const message = (type: string, body: Buffer) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, body])
}

/** A server that asks for a password, and refuses it. */
async function askingServer(context: TestContext): Promise<{ port: number; passwords: string[] }> {
  const passwords: string[] = []
  const port = await listen(context, (socket) => {
    socket.once('data', () => {
      socket.write(message('R', Buffer.from([0, 0, 0, 3])))
      socket.once('data', (answer: Buffer) => {
        passwords.push(answer.subarray(5, -1).toString())
        socket.end(message('E', Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed for user "git"\0\0')))
      })
    })
  })
  return { port, passwords }
}

test('the password is of the URL, of a file or of PGPASSWORD, and no message has it', async (context) => {
  const { port, passwords } = await askingServer(context)
  const at = (user: string) => `postgres://${user}@127.0.0.1:${port}/blobs`
  const file = join(await temporaryDirectory(context), 'password')
  await writeFile(file, `${secret}-1\n`)
  const flags = (url: string, ...more: string[]) => readOptions(['--store', 'postgres', '--database', url, ...more])
  const before = process.env['PGPASSWORD']
  process.env['PGPASSWORD'] = `${secret}-2`
  context.after(() => {
    if (before === undefined) delete process.env['PGPASSWORD']
    else process.env['PGPASSWORD'] = before
  })
  const given = [
    await flags(at('git'), '--database-password-file', file),
    await flags(at('git')),
    await flags(at(`git:${secret}-3`), '--database-password-file', file)
  ]
  for (const options of given) {
    const opening = PipelinedDatabase.open({ urls: options?.database ?? [], password: options?.databasePassword })
    await assert.rejects(opening, (error) => {
      assert.match(String(error), /28P01: password authentication failed for user "git"/)
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), new RegExp(secret))
      return true
    })
  }
  assert.deepEqual(
    passwords,
    [1, 2, 3].map((n) => `${secret}-${n}`)
  )
})

test('a URL that cannot be used is refused without being repeated', async () => {
  const refused = async (text: string, expected: RegExp) => {
    await assert.rejects(readDatabaseUrl(text), (error: Error) => {
      assert.match(error.message, expected)
      assert.doesNotMatch(inspect(error), new RegExp(secret))
      return true
    })
  }
  await refused(`mysql://git:${secret}@host/blobs`, /must be such as postgres:\/\/user@host:5432\/name/)
  await refused(`postgres://git:${secret}@host:port/blobs`, /must be such as/)
  await refused(`postgres://:${secret}@host/blobs`, /host:5432\/blobs: must name a host and a user/)
  await refused(
    `postgres://git:${secret}@host/?sslmode=prefer`,
    /host:5432\/git: sslmode must be one of disable, require/
  )
  await refused(`postgres://git:${secret}@host/b?sslmode=verify-ca`, /verify-ca requires sslrootcert/)
  await refused(`postgres://git:${secret}@host/b?sslrootcert=%2Fno`, /sslrootcert "\/no" cannot be read: ENOENT/)
  await refused(`postgres://git:${secret}@host/b?target=any`, /unknown parameter target; expected one of sslmode, /)
  assert.equal((await readDatabaseUrl('postgresql://git@[::1]')).name, '[::1]:5432/git')
})

test('TLS: the certificate is judged as sslmode says', async (context) => {
  const target = new URL(await newDatabase())
  const tls = async (certificate: string) =>
    listen(context, (socket) => {
      // SSLRequest, eight bytes; S = the server goes on with a handshake.
      socket.once('data', () => {
        socket.write('S')
        const secure = new TLSSocket(socket, {
          isServer: true,
          cert: pem(`${certificate}.pem`),
          key: pem(`${certificate}.key`)
        })
        const database: Socket = connect(Number(target.port), target.hostname)
        for (const end of [secure, database]) end.on('error', () => socket.destroy())
        secure.pipe(database).pipe(secure)
      })
    })
  const [right, wrong] = [await tls('server'), await tls('wrong-host')]
  const ca = fileURLToPath(new URL('../../support/tls/ca.pem', import.meta.url))
  const opens = async (port: number, query: string) => {
    const url = `postgres://${target.username}:${target.password}@localhost:${port}${target.pathname}?${query}`
    const database = await PipelinedDatabase.open({ urls: [url], holdMs: 1 })
    await database.read({ name: '', text: 'SELECT 1', values: [] })
    await database.close()
  }
  await opens(right, `sslmode=verify-full&sslrootcert=${ca}`)
  await opens(right, `sslrootcert=${ca}`)
  await opens(right, 'sslmode=require')
  await opens(wrong, `sslmode=verify-ca&sslrootcert=${ca}`)
  await assert.rejects(opens(right, 'sslmode=verify-full'), /self.signed certificate|unable to verify|issuer/i)
  await assert.rejects(opens(wrong, `sslmode=verify-full&sslrootcert=${ca}`), /altnames|Host: localhost/)
})
