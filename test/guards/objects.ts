/** Guards of objects by their bytes: what the server takes, and what the client believes. */
import type { Guard } from './guard.ts'

const check = 'server-fixture/service/object-check'
const judged = ['test/server/object-check.test.ts']
const server = ['test/server/objects.test.ts']
const lies = ['test/client/integrity.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a strict check refuses what git fsck reports',
    file: 'server-fixture/service/objects.ts',
    from: 'if (problems.length === 0) return\n',
    to: 'return\n',
    tests: server
  },
  {
    name: 'an object needs those that it names',
    file: 'server-fixture/service/objects.ts',
    from: 'await checkKinds(workspace, named)',
    to: 'void [checkKinds, named]',
    tests: server
  },
  {
    name: 'objects above the limits are refused',
    file: 'server-fixture/service/objects.ts',
    from: 'if (size <= maximum) return\n',
    to: 'if (size >= 0) return\n',
    tests: server
  },
  {
    name: 'the files that Git reads itself are checked with their tree',
    file: 'server-fixture/service/objects.ts',
    from: '...inFiles.flat()',
    to: '',
    tests: server
  },
  {
    name: 'bytes that Git cannot read as a commit are refused',
    file: `${check}/commit.ts`,
    from: 'if (oid === undefined) throw',
    to: 'if (false) throw',
    tests: judged
  },
  {
    name: 'a header has no NUL',
    file: `${check}/header.ts`,
    from: "if (text.includes('\\0'))",
    to: 'if (false)',
    tests: judged
  },
  {
    name: 'a date that overflows is one',
    file: `${check}/header.ts`,
    from: 'BigInt(digits) > latestSeconds',
    to: 'false',
    tests: judged
  },
  {
    name: 'a tree has each name once',
    file: `${check}/tree.ts`,
    from: 'if (names.has(key))',
    to: 'if (false)',
    tests: judged
  },
  {
    name: "a tree is in Git's order",
    file: `${check}/tree.ts`,
    from: 'compareItems(before, item) >= 0',
    to: 'false',
    tests: judged
  },
  {
    name: 'names that a file system takes for .git are found behind bytes that are not UTF-8',
    file: `${check}/tree.ts`,
    from: '\\uffff',
    to: '',
    tests: judged
  },
  {
    name: 'the name of an annotated tag stands for the tag itself',
    file: 'server-fixture/service/revision.ts',
    from: 'if (/[~^\\0]/.test(revision))',
    to: 'if (true)',
    tests: server
  },
  {
    name: 'the bytes of a signed tag come with it',
    file: 'server-fixture/service/tags.ts',
    from: 'canonical && !isSignedTag(fields)',
    to: 'canonical && isSignedTag !== undefined',
    tests: server
  },
  {
    name: 'an object that is asked for by oid is the answer',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (request.oid && request.oid !== oid)',
    to: 'if (false)',
    tests: lies
  },
  {
    name: 'an object hashes to its oid as one of its kind',
    file: 'src/client/verify/other-answers.ts',
    from: 'checkOid(kind, kind, response)',
    to: "checkOid(kind, 'blob', response)",
    tests: lies
  },
  {
    name: 'a stored object has the oid of its bytes',
    file: 'src/client/verify/other-answers.ts',
    from: '    checkOid(`stored ${kind}`, kind, { oid, content })\n',
    to: '',
    tests: lies
  },
  {
    name: 'a stored tag has the oid of its fields',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (!oids.includes(oid))',
    to: 'if (false)',
    tests: lies
  },
  {
    name: 'a tag that is asked for by oid is the answer',
    file: 'src/client/verify/other-answers.ts',
    from: 'if (isOid(revision) && revision !== tag.oid)',
    to: 'if (false)',
    tests: lies
  },
  {
    name: 'an older server is told of by the name of the call that it does not know',
    file: 'src/batch/older-server.ts',
    from: 'if (!isKeyed && !laterMethods.has(call.method)) return error',
    to: 'if (!isKeyed) return error',
    tests: ['test/client/older-server.test.ts']
  }
]
