/** A database for tests: one engine for a process, a database for each file. */
import { after } from 'node:test'
import pg from 'pg'
import { type Engine, startEngine } from '../../server-fixture/store/postgres/embedded/engine.ts'

let engine: Promise<Engine> | undefined
let count = 0

/** A new, empty database; it is gone after the tests of the file. */
export async function newDatabase(): Promise<string> {
  if (engine === undefined) {
    engine = startEngine()
    after(async () => (await engine)?.stop())
  }
  const { url } = await engine
  const name = `test_${process.pid}_${++count}`
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return url.replace(/postgres$/, name)
}
