/** A process that brings an export up to date, again and again, until it is killed: URL DIRECTORY REPOSITORY. */
import { GitExports } from '../../server-fixture/git-export/git-exports.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'

const [url = '', directory = '', repository = ''] = process.argv.slice(2)
const exports = new GitExports(await PostgresStore.open({ urls: [url] }), directory)
for (;;) {
  const { objects } = await exports.bring(repository)
  if (objects > 0) process.stdout.write(`${objects}\n`)
}
