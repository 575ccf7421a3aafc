/** Guards of repositories, objects and the schema of the store on a database. */
import type { Guard } from './guard.ts'

const directory = 'server-fixture/store/postgres'
const known = `${directory}/known-repositories.ts`
const objects = `${directory}/objects.ts`
const schema = `${directory}/schema/schema.ts`
const sweeper = `${directory}/sweeper.ts`
const sweeperTests = ['test/store/postgres-sweeper.test.ts']
const objectTests = ['test/store/postgres-objects.test.ts']
const repositoryTests = ['test/store/postgres-repositories.test.ts']
const schemaTests = ['test/store/postgres-schema.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a name whose repository is gone is looked up again',
    file: known,
    from: 'const again = await this.lookUp(name)',
    to: 'const again = known',
    tests: repositoryTests
  },
  {
    name: 'of creations at once, one gives the name to its repository',
    file: `${directory}/repositories.ts`,
    from: 'const isOurs = ([row]: readonly { id: string }[]) => row?.id === id',
    to: 'const isOurs = ([row]: readonly { id: string }[]) => row !== undefined',
    tests: repositoryTests
  },
  {
    name: 'of deletions at once, one did it',
    file: `${directory}/repositories.ts`,
    from: 'return tombstones[0]?.deleted_by === deletedBy',
    to: 'return tombstones[0] !== undefined',
    tests: repositoryTests
  },
  {
    name: 'a put whose objects are all there asks whether the repository is',
    file: objects,
    from: 'if (added.length === 0) await',
    to: 'if (false) await',
    tests: objectTests
  },
  {
    name: 'rows of objects are sorted by oid',
    file: `${directory}/object-rows.ts`,
    from: '(left.oid < right.oid ? -1 : 1)',
    to: '(left === right ? -1 : 1)',
    tests: objectTests
  },
  {
    name: 'the cache answers for repositories that were there a second ago',
    file: objects,
    from: '      await this.#repositories.confirm(found)\n      return cached',
    to: '      return cached',
    tests: objectTests
  },
  {
    name: 'the intent of a deletion is no outcome',
    file: `${directory}/name-keys.ts`,
    from: "return tombstone?.['deleted_by'] === deletedByKey(key)",
    to: 'return true',
    tests: repositoryTests
  },
  {
    name: 'a name whose repository is gone is no name',
    file: `${directory}/repositories.ts`,
    from: 'if (formerId !== undefined) await this.#removeName(repository, formerId)',
    to: 'if (formerId !== undefined) throw new Error(formerId)',
    tests: repositoryTests
  },
  {
    name: 'objects of another format are not stored',
    file: objects,
    from: 'if (objects[0] && objects[0].oid.length !== oidLength(found.objectFormat))',
    to: 'if (false)',
    tests: objectTests
  },
  {
    name: 'rows of a deleted repository stay for a rest, in which puts end',
    file: sweeper,
    from: 'if (age > restSeconds && ',
    to: 'if (',
    tests: sweeperTests
  },
  {
    name: 'keys and events outlive their repository',
    file: sweeper,
    from: 'if (age < keySeconds || this.#isClosed) return',
    to: 'if (this.#isClosed) return',
    tests: sweeperTests
  },
  {
    name: 'the key of a deletion holds without the tombstone',
    file: sweeper,
    from: "await this.#write(\n      'settle deletion'",
    to: "if (false) await this.#write(\n      'settle deletion'",
    tests: sweeperTests
  },
  {
    name: 'a schema that is newer than the server is refused',
    file: schema,
    from: 'if (version > migrations.length) throw tooNew(version, migrations.length)',
    to: 'if (version > migrations.length) return',
    tests: schemaTests
  },
  {
    name: 'servers that start at once wait for the one that makes the schema',
    file: schema,
    from: '!passing.includes(cause.code)',
    to: 'true',
    tests: schemaTests
  },
  {
    name: 'contents of the cache hold no more memory than is counted',
    file: 'server-fixture/store/postgres/object-rows.ts',
    from: '  const options = { chunkSize: Math.max(minChunkBytes, size + 1), maxOutputLength: size + 1 }',
    to: '  const options = { maxOutputLength: size + 1 }',
    tests: ['test/store/postgres-objects.test.ts']
  },
  {
    name: 'a page of a scan has bounded contents',
    file: 'server-fixture/store/postgres/object-scan.ts',
    from: 'WHERE bytes <= greatest($4::bigint, $5::bigint) ORDER BY oid',
    to: 'WHERE bytes + $4::bigint + $5::bigint > 0 ORDER BY oid',
    tests: ['test/store/postgres-objects.test.ts']
  },
  {
    name: 'a statement reads a bounded number of contents',
    file: 'server-fixture/store/postgres/object-reader.ts',
    from: '(maxBytes < 0 ? maxOids : maxContents)',
    to: '(maxBytes < 0 ? maxContents : maxOids)',
    tests: ['test/store/postgres-objects.test.ts']
  }
]
