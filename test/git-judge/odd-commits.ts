/** Commits that Git reads although it would not write them: odd author lines, encodings, headers and dates. */
import type { NewObject } from '../../server-fixture/store/store.ts'
import { emptyTreeOid, hashObject } from '../../src/git/oid.ts'
import { randomNumbers } from '../support/random.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const tree = emptyTreeOid('sha1')
const line = 'A U Thor <author@example.org> 1700000000 +0100'

/** Behind "author " and "committer ". */
const identities: readonly string[] = [
  line,
  'A <a@example.org> 1700000000 +051800',
  'A <a@example.org> 1700000000 --700',
  'A <a@example.org> 1700000000 -0330',
  'A <a@example.org> 1700000000 +0',
  'A <a@example.org> 1700000000 -7',
  'A <a@example.org> 1700000000 +99999999999',
  'A <a@example.org> 1700000000 0100',
  'A <a@example.org> 1700000000 UTC',
  'A <a@example.org> 1700000000',
  'A <a@example.org>',
  'A <a@example.org> ',
  'A <a@example.org>1700000000+0100',
  'A <a@example.org>   1700000000 \t +0100 (CET)',
  'A <a@example.org> -1700000000 +0100',
  'A <a@example.org> 0 -0000',
  'A <a@example.org> 007 +0100',
  'A <a@example.org> 9007199254740991 +0000',
  'A <a@example.org> 99999999999999999999 +0100',
  'A <a@example.org> 18446744073709551614 +0100',
  'A <a@example.org> Mon Jan 1 2001 +0000',
  '<a@example.org> 1700000000 +0100',
  ' <a@example.org> 1700000000 +0100',
  '  spaces  around  <  a@example.org  > 1700000000 +0100',
  'A <> 1700000000 +0100',
  'A <<>> 1700000000 +0100',
  'A <a <b@example.org> c> 1700000000 +0100',
  'A <a@example.org 1700000000 +0100',
  'A a@example.org> 1700000000 +0100',
  'nobody at all',
  '',
  'caf\xe9 <caf\xe9@example.org> 1700000000 +0100',
  'Gr\xc3\xbc\xc3\x9fe <a@example.org> 1700000000 +0100',
  'A\r <a@example.org> 1700000000 +0100\r',
  'Thompson, A. (x) "y" <a@example.org> 1700000000 +0100'
]

const messages: readonly string[] = [
  'm\n',
  '',
  '\n',
  'no newline',
  '\n\n\nlines before\n\n\nand after\n\n\n',
  'a\r\nb\r\n',
  'caf\xe9 \xff\n',
  'Gr\xc3\xbc\xc3\x9fe \xf0\x9f\x8e\x89\n',
  'before\0after\n',
  '\0'
]

/** Names of encodings, and bytes in them or not. */
const encodings: readonly (readonly [name: string, text: string])[] = [
  ['ISO-8859-1', 'caf\xe9 \x85'],
  ['iso8859-1', 'caf\xe9'],
  ['latin1', '\xa4'],
  ['ISO-8859-15', '\xa4'],
  ['ISO-8859-2', '\xb3\xf3d\xbc'],
  ['CP1252', '\x80 \x93x\x94'],
  ['windows-1251', '\xcf\xf0\xe8\xe2\xe5\xf2'],
  ['KOI8-R', '\xf0\xd2\xc9\xd7\xc5\xd4'],
  ['Shift_JIS', '\x83e\x83X\x83g'],
  ['SJIS', '\x83e\x83X\x83g'],
  ['EUC-JP', '\xa5\xc6\xa5\xb9\xa5\xc8'],
  ['ISO-2022-JP', '\x1b$B%F%9%H\x1b(B'],
  ['GBK', '\xd6\xd0\xce\xc4'],
  ['Big5', '\xa4\xa4\xa4\xe5'],
  ['EUC-KR', '\xc7\xd1\xb1\xdb'],
  ['UTF-8', 'Gr\xc3\xbc\xc3\x9fe'],
  ['utf8', 'Gr\xc3\xbc\xc3\x9fe'],
  ['UTF-8', 'caf\xe9'],
  ['US-ASCII', 'caf\xe9'],
  ['Shift_JIS', '\x83\xff'],
  ['EUC-JP', '\xa5\xc6\xff'],
  ['x-unknown', 'caf\xe9'],
  ['', 'caf\xe9']
]

const signature = ['gpgsig -----BEGIN PGP SIGNATURE-----', ' ', ' iQ==', ' -----END PGP SIGNATURE-----']
const mergetag = [`mergetag object ${tree}`, ' type commit', ' tag x', ' author Not <the@author> 1 +0000', ' ', ' m']

/** Lines behind the committer. */
const headers: readonly (readonly string[])[] = [
  [],
  signature,
  mergetag,
  ['x-unknown header', 'HG:rename a:b'],
  ['author Second <second@example.org> 1600000000 +0200'],
  ['parent 0000000000000000000000000000000000000001'],
  [`tree ${'0'.repeat(40)}`]
]

function commit(lines: readonly string[], message: string | undefined): NewObject {
  const content = latin1(`${lines.join('\n')}\n${message === undefined ? '' : `\n${message}`}`)
  return { oid: hashObject('commit', content, 'sha1'), kind: 'commit', content }
}

/** One commit for each oddity. */
export function oddCommits(): NewObject[] {
  const plain = [`tree ${tree}`, `author ${line}`, `committer ${line}`]
  const commits = [
    ...identities.map((identity) => commit([`tree ${tree}`, `author ${identity}`, `committer ${line}`], 'm\n')),
    ...identities.map((identity) => commit([`tree ${tree}`, `author ${line}`, `committer ${identity}`], 'm\n')),
    ...messages.map((message) => commit(plain, message)),
    ...headers.map((lines) => commit([...plain, ...lines], 'm\n')),
    ...encodings.map(([name, text]) =>
      commit([`tree ${tree}`, `author ${text} <a@b> 1 +0000`, `committer ${line}`, `encoding ${name}`], `${text}\n`)
    ),
    commit([`tree ${tree.toUpperCase()}`, ...plain.slice(1)], 'm\n'),
    commit([plain[0] as string, plain[2] as string, plain[1] as string], 'm\n'),
    commit([plain[0] as string], 'nobody\n'),
    commit([...plain, ...signature, 'encoding ISO-8859-1'], 'caf\xe9\n')
  ]
  return [...new Map(commits.map((made) => [made.oid, made])).values()]
}

/** A history with merges, whose dates are odd and out of order. The last one is its head. */
export function oddHistory(seed: number, count: number): NewObject[] {
  const random = randomNumbers(seed)
  const dates = [...identities.filter((text) => !text.includes('> c>')), '']
  const commits: NewObject[] = []
  for (let index = 0; index < count; index++) {
    const recent = commits.slice(-6)
    const parents = new Set<string>()
    for (let parent = index === count - 1 ? recent.length : 1 + random(3); parent > 0 && recent.length > 0; parent--)
      parents.add((recent[random(recent.length)] as NewObject).oid)
    const date = 1_600_000_000 + random(40)
    const committer = random(4) === 0 ? dates[random(dates.length)] : `C <c@example.org> ${date} +0000`
    const links = [`tree ${tree}`, ...[...parents].map((oid) => `parent ${oid}`)]
    commits.push(commit([...links, `author ${line}`, `committer ${committer}`], `number ${index}\n`))
  }
  return commits
}
