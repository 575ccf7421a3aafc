/** Guards of what a server keeps in memory of repositories that other servers delete and make again. */
import type { Guard } from './guard.ts'

const service = 'server-fixture/service'
const postgres = 'server-fixture/store/postgres'
const tests = ['test/server/replaced.test.ts']
const contract = ['test/store/contract.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'trees and walks are kept by repository, not by name',
    file: `${service}/repository-identity.ts`,
    from: 'return incarnation ?? repository',
    to: 'return incarnation === undefined ? repository : repository',
    tests: ['test/server/read-once.test.ts']
  },
  {
    name: 'objects of a call are stored in the repository that it began on',
    file: `${service}/staged-objects.ts`,
    from: 'this.#unstored(), incarnation)',
    to: 'this.#unstored(), incarnation && undefined)',
    tests
  },
  {
    name: 'refs of a call are moved in the repository that it began on',
    file: `${service}/workspace.ts`,
    from: '{ ...records, objects, incarnation })',
    to: '{ ...records, objects, incarnation: incarnation && undefined })',
    tests
  },
  {
    name: 'a batch is carried out anew on the repository that has the name',
    file: `${service}/batch.ts`,
    from: 'if (this.#doubt && (await isReplaced(this.#workspace, this.#doubt)))',
    to: 'if (this.#doubt && (await isReplaced(this.#workspace, undefined)))',
    tests
  },
  {
    name: 'a refusal by the object format asks whether the repository is still the same',
    file: `${service}/replaced.ts`,
    from: "return error.code === 'invalid_argument' || error.reason === 'revision'",
    to: "return error.code === 'invalid_argument' && error.reason === 'revision'",
    tests
  },
  {
    name: 'an upload whose oid has another format asks whether the repository is still the same',
    file: `${service}/uploads.ts`,
    from: 'await unlessReplaced({ store, repository: info }, new Promise((resolve) => resolve(checkDigest(oid))))',
    to: 'checkDigest(oid)',
    tests
  },
  {
    name: 'the oid of an upload has the format of the repository that the upload is in',
    file: `${service}/uploads.ts`,
    from: '  info = await openRepository(store, repository)\n',
    to: '',
    tests
  },
  {
    name: 'a download whose oid has another format asks whether the repository is still the same',
    file: `${service}/downloads.ts`,
    from: 'await unlessReplaced(workspace, blobOid(workspace, request))',
    to: 'await blobOid(workspace, request)',
    tests
  },
  {
    name: 'a write on a database means one repository',
    file: `${postgres}/known-repositories.ts`,
    from: 'if (incarnation !== undefined && again.id !== incarnation) throw',
    to: 'if (incarnation !== undefined && again.id === undefined) throw',
    tests
  },
  {
    name: 'objects of another format are put after the name was looked up again',
    file: `${postgres}/objects.ts`,
    from: 'throw new RepositoryGone()',
    to: 'return',
    tests
  },
  {
    name: 'objects of another format are looked for after the name was looked up again',
    file: `${postgres}/objects.ts`,
    from: 'if (cached.every((object) => object !== undefined)) {',
    to: 'if (missing.length === 0) {',
    tests
  },
  {
    name: 'a put on a database does not join a statement that began before it',
    file: `${postgres}/objects.ts`,
    from: 'joinsWrites: false',
    to: 'joinsWrites: true',
    tests
  },
  {
    name: 'refs that exist are not moved under the key of a creation or deletion',
    file: `${postgres}/moves/move-statements.ts`,
    from: 'AND NOT n.is_intent))',
    to: 'AND NOT n.is_intent AND false))',
    tests
  },
  {
    name: 'refs are not made under the key of a creation or deletion',
    file: `${postgres}/moves/careful-moves.ts`,
    from: 'keys: [...remembered, ...ofName]',
    to: 'keys: [...remembered, ...ofName.slice(ofName.length)]',
    tests
  },
  {
    name: 'the key of a deletion is no intent once the repository is deleted',
    file: `${postgres}/repositories.ts`,
    from: 'keyed && isDeleted && this.keys.complete(found, keyed)',
    to: 'undefined',
    tests
  },
  {
    name: 'a write on the memory store means one repository',
    file: 'server-fixture/store/memory-store.ts',
    from: 'if (meant !== undefined && found.incarnation !== meant) throw',
    to: 'if (meant !== undefined && found.incarnation === undefined) throw',
    tests: contract
  },
  {
    name: 'a write on the Git store means one repository',
    file: 'server-fixture/store/git/open-repositories.ts',
    from: 'if (incarnation !== undefined && repository.info.incarnation !== incarnation)',
    to: 'if (incarnation !== undefined && repository.info === undefined)',
    tests: contract
  }
]
