/** Guards of the client's checks: an answer is of what was asked for, and hashes to its oid. */
import type { Guard } from './guard.ts'

const tests = ['test/client/integrity.test.ts', 'test/client/checks.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a commit that is asked for by oid is the answer',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (isOid(revision) && revision !== response.commit.oid)',
    to: 'if (false)',
    tests
  },
  {
    name: 'a blob that is asked for by oid is the answer',
    file: 'src/client/verify/blob-answers.ts',
    from: 'if (request.oid && request.oid !== response.oid)',
    to: 'if (false)',
    tests
  },
  {
    name: 'contents hash to their oid',
    file: 'src/client/verify/integrity.ts',
    from: '  if (computed === oid) return\n',
    to: '  return\n',
    tests
  },
  {
    name: 'a blob has the size that the answer tells',
    file: 'src/client/verify/blob-answers.ts',
    from: 'if (response.size !== response.content.length)',
    to: 'if (false)',
    tests
  },
  {
    name: 'a new commit has the parent that was expected',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (!hasExpectedParents(expectedHead, parents))',
    to: 'if (false)',
    tests
  },
  {
    name: 'a commit without an expected head has one parent at most',
    file: 'src/client/verify/commit.ts',
    from: "if (expectedHead === '') return parents.length <= 1",
    to: "if (expectedHead === '') return true",
    tests
  },
  {
    name: 'the first commit of a branch has no parent',
    file: 'src/client/verify/commit.ts',
    from: "(isZeroOid(expectedHead) ? '' : expectedHead)",
    to: '(isZeroOid(expectedHead) ? parents.join() : expectedHead)',
    tests
  },
  {
    name: 'a new commit is made of the message, authors, tree and parent that were asked for',
    file: 'src/client/verify/other-answers.ts',
    from: "      checkOid('new commit', 'commit', { oid, content: encodeCommit(committedFields(request, response)) })\n",
    to: '      void oid\n',
    tests
  },
  {
    name: 'the tree of a first commit is made of its changes',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (wholeTree !== undefined && wholeTree !== tree)',
    to: 'if (false)',
    tests
  },
  {
    name: 'the tree of a first commit with a long list of changes is made of its changes',
    file: 'src/client/commit-requests.ts',
    from: 'if (wholeTree !== undefined && wholeTree !== response.tree)',
    to: 'if (false)',
    tests
  },
  {
    name: 'a stored tree has the oid of its entries',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (oid !== response.oid) throw integrity',
    to: 'if (false) throw integrity',
    tests
  },
  {
    name: 'a listed tree has the oid of its entries',
    file: 'src/client/verify/tree.ts',
    from: 'if (hashLevel(items, format) === oid) return []',
    to: 'if (items.length >= 0) return []',
    tests
  },
  {
    name: 'the subtrees of a listing have the oids of their entries',
    file: 'src/client/verify/tree.ts',
    from: 'if (hashLevel(items, format) === oid) return []',
    to: "if (prefix !== '' || hashLevel(items, format) === oid) return []",
    tests
  },
  {
    name: 'later pages of a tree are of the same tree',
    file: 'src/client/whole-tree.ts',
    from: 'else if (page.oid !== tree.oid) throw',
    to: 'else if (false) throw',
    tests
  },
  {
    name: 'a repository that is asked for is the answer',
    file: 'src/client/verify/other-answers.ts',
    from: '    if (isOther)\n',
    to: '    if (false)\n',
    tests
  },
  {
    name: 'refs are of the prefix that was asked for',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (!name.startsWith(prefix))',
    to: 'if (false)',
    tests
  },
  {
    name: 'refs have oids',
    file: 'src/client/verify/other-answers.ts',
    from: '      formatOf(oid)\n      if (!name',
    to: '      if (!name',
    tests
  },
  {
    name: 'missing objects are among those that were asked for',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (!response.missing.every((oid) => asked.has(oid)))',
    to: 'if (false)',
    tests
  },
  {
    name: 'a commit has an author and a committer, also with verify: false',
    file: 'src/client/verify/other-answers.ts',
    from: 'getCommit: (_request, { commit }) => checkCommit(commit)',
    to: 'getCommit: () => undefined',
    tests
  },
  {
    name: 'commits of a listing hash to their oids',
    file: 'src/client/verify/other-answers.ts',
    from: '    response.commits.forEach(verifyCommit)\n',
    to: '',
    tests
  },
  {
    name: 'oids of a repository are forgotten with it',
    file: 'src/client/composed-calls.ts',
    from: '    invoker.caches.forget(repository)\n',
    to: '',
    tests: ['test/client/made-anew.test.ts']
  },
  {
    name: 'oids of a repository are forgotten where it lacks one',
    file: 'src/client/committing.ts',
    from: '      this.#caches.known.forget(this.#context.repository)\n',
    to: '',
    tests: ['test/client/made-anew.test.ts', 'test/client/commit-round-trips.test.ts']
  }
]
