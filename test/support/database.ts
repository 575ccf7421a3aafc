/** A database for tests: one engine for a run of tests, a database for each file. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'
import pg from 'pg'
import { engineOfRun } from '../../scripts/run-tests/engine.ts'
import { startTestEngine } from './database-engine.ts'

let engine: Promise<string> | undefined
let count = 0

/** A new, empty database. Its engine ends after the tests of the file, or of the run where `npm run test:run` has it. */
export async function newDatabase(): Promise<string> {
  engine ??= findEngine()
  const url = await engine
  const name = `test_${process.pid}_${++count}`
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return url.replace(/postgres$/, name)
}

async function findEngine(): Promise<string> {
  const port = process.env[engineOfRun]
  if (port === undefined) {
    const own = startTestEngine()
    after(async () => (await own).stop())
    return (await own).url
  }
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  return text(socket)
}
