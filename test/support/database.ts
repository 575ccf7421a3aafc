/** A database for tests: one engine for a run of tests, a database for each file. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'
import { engineOfRun } from '../../scripts/run-tests/engine.ts'
import { startTestEngine } from './database-engine.ts'
import { emptyDatabase, givenCluster, removeDatabase } from './given-database.ts'

let engine: Promise<string> | undefined
let count = 0

/** A new, empty database. Its engine ends after the tests of the file, or of the run where `npm run test:run` has it. */
export async function newDatabase(): Promise<string> {
  const [url] = await newDatabaseUrls()
  return url as string
}

/** The same as the URLs of all servers of the cluster: those that `npm run test:database` was given, or one. */
export async function newDatabaseUrls(): Promise<string[]> {
  const name = `test_${process.pid}_${++count}`
  const given = process.env[givenCluster]?.split(',')
  if (given !== undefined) {
    const urls = await emptyDatabase(given, name)
    after(() => removeDatabase(given, name))
    return urls
  }
  engine ??= findEngine()
  return emptyDatabase([await engine], name)
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
