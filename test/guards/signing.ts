/** Guards of signed commits and tags, and of oids without a server. */
import type { Guard } from './guard.ts'

const tests = ['test/client/signing.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'the commit that the caller made has the expected head as its parent',
    file: 'server-fixture/service/commit-on-head.ts',
    from: 'if (parents.join() !== on.parents.join()) {',
    to: 'if (parents.length < 0) {',
    tests
  },
  {
    name: 'a commit that the caller made needs an expected head',
    file: 'server-fixture/service/commit-on-head.ts',
    from: "if (expectedHead === '') throw invalidArgument('expectedHead', 'must be given with a commitObject')",
    to: '',
    tests
  },
  {
    name: 'a prepared commit is not carried out under a key',
    file: 'server-fixture/service/commit-files.ts',
    from: "if (key !== undefined) throw invalidArgument('prepare', 'must come without a key: nothing is moved')",
    to: '',
    tests
  },
  {
    name: 'a prepared commit moves nothing on a server that does not know of it',
    file: 'src/client/signed-commit.ts',
    from: 'const fields = { branch, expectedHead, prepare: true }',
    to: 'const fields = { ...this.#commit.fields, prepare: true }',
    tests
  },
  {
    name: 'a signed commit is made again on the new head',
    file: 'src/client/signed-commit.ts',
    from: "if (this.#commit.fields.expectedHead !== '' || !isMoved) throw error",
    to: 'throw error',
    tests
  },
  {
    name: 'a repetition by another process has the first answer, although the state has changed',
    file: 'src/client/signed-commit.ts',
    from: 'if (!(error instanceof BlobwireError) || !isOfState(error)) throw',
    to: 'if (true) throw',
    tests
  },
  {
    name: 'another commit than the signed one is refused',
    file: 'src/client/signed-commit.ts',
    from: "if (!isSame) throw integrity('new commit', 'the signed commit', oid)",
    to: '',
    tests
  },
  {
    name: 'the signature is a header whose further lines are indented',
    file: 'src/git/object-signature.ts',
    from: ".slice(0, -1).replaceAll('\\n', '\\n ')",
    to: '.slice(0, -1)',
    tests
  },
  {
    name: 'each object format has a header of its own',
    file: 'src/git/object-signature.ts',
    from: "format === 'sha1' ? 'gpgsig' : 'gpgsig-sha256'",
    to: "'gpgsig'",
    tests
  },
  {
    name: 'the signature of a tag begins a line',
    file: 'src/git/object-signature.ts',
    from: 'if (tag[tag.length - 1] !== lineFeed)',
    to: 'if (tag.length < 0)',
    tests
  },
  {
    name: 'an unsigned text is no signature',
    file: 'src/git/object-signature.ts',
    from: 'if (begin.test(lines) && ',
    to: 'if (',
    tests
  },
  {
    name: 'a call that waits for its signature holds the process',
    file: 'src/client/sign.ts',
    from: '  beginWork()\n  return sharedAnswer(answer, { timeoutMs, signal }, clock).catch(notSigned).finally(endWork)',
    to: '  return sharedAnswer(answer, { timeoutMs, signal }, clock)',
    tests: ['test/faults/leaving.test.ts']
  }
]
