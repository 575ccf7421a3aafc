/** Objects that Git can store, by a name of their oddity; a few that it cannot read. */

/** Oids that the objects name. */
interface Named {
  readonly blob: string
  readonly tree: string
}

type Table = Record<string, Buffer>

const entry = (mode: string, name: string | Uint8Array, oid: string) =>
  Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name as Uint8Array), Buffer.of(0), Buffer.from(oid, 'hex')])

const tree = (...entries: Buffer[]) => Buffer.concat(entries)

/** Names that a file system may take for one that Git reads. */
const dotNames = [
  '.git',
  '.GiT',
  'git~1',
  'GIT~1 . .',
  '.git. ',
  '.git::$INDEX_ALLOCATION',
  'a\\.git',
  'a\\git~1\\x',
  '.g\u200cit',
  '\ufeff.git',
  '.git\uffff',
  '.gi\ufffdt',
  '.git\ufffd',
  '.gitx',
  'git~2',
  '.git\u00ef',
  'x.git',
  '...',
  '.gitmodules',
  '.gitmodules ',
  'gitmod~4',
  'gi7eba~1',
  'GI7EB~12',
  '~1000000',
  'x\\.gitmodules',
  '.gitm\u200dodules',
  '.gitattributes',
  'gi7d29~9',
  'x\\.gitattributes',
  '.gitignore',
  'gitign~1',
  'gi250a~1',
  '.mailmap',
  'mailma~1',
  'maba30~1'
]

/** Trees. */
export function oddTrees({ blob, tree: dir }: Named): Table {
  const file = (name: string | Uint8Array) => entry('100644', name, blob)
  const zero = '0'.repeat(blob.length)
  const table: Table = {
    empty: tree(),
    plain: tree(file('a'), entry('40000', 'b', dir)),
    'zero-padded directory': tree(entry('040000', 'b', dir)),
    'zero-padded file': tree(entry('0100644', 'b', blob)),
    'mode 100664': tree(entry('100664', 'b', blob)),
    'mode 100600': tree(entry('100600', 'b', blob)),
    'mode 40755': tree(entry('40755', 'b', dir)),
    'mode 120777': tree(entry('120777', 'b', blob)),
    'mode 644, a submodule to Git': tree(entry('644', 'b', blob)),
    'mode 0': tree(entry('0', 'b', blob)),
    'mode of twelve digits': tree(entry('000000100644', 'b', blob)),
    'no mode': tree(entry('', 'b', blob)),
    'a mode that is not octal': tree(entry('10064x', 'b', blob)),
    'mode 8': tree(entry('8', 'b', blob)),
    'no name': tree(entry('100644', '', blob)),
    'a name with a slash': tree(file('a/b')),
    'an absolute name': tree(file('/a')),
    dot: tree(file('.')),
    'two dots': tree(file('..')),
    'the same name twice': tree(file('a'), file('a')),
    'a file and a directory': tree(file('a'), entry('40000', 'a', dir)),
    'a file and a directory, apart': tree(file('a'), file('a-b'), entry('40000', 'a', dir)),
    'a file and a directory, far apart': tree(file('a'), file('a-b'), file('a.b'), entry('40000', 'a', dir)),
    'files out of order': tree(file('b'), file('a')),
    'a directory sorted as a file': tree(entry('40000', 'a', dir), file('a.b')),
    'a directory in order': tree(file('a.b'), entry('40000', 'a', dir), file('a0')),
    'a submodule': tree(entry('160000', 'a', 'ab'.repeat(blob.length / 2))),
    'a submodule of no commit': tree(entry('160000', 'a', zero)),
    'the oid of no object': tree(entry('100644', 'a', zero)),
    'a name that is not UTF-8': tree(file(Buffer.from('f\xfcr', 'latin1'))),
    '.git and a byte that is not UTF-8': tree(file(Buffer.from('.git\xff', 'latin1'))),
    '.git, U+FFFD and a byte that is not UTF-8': tree(file(Buffer.from('.git\xef\xbf\xbd\xff', 'latin1'))),
    '.gi, a byte that is not UTF-8': tree(file(Buffer.from('.gi\xfft', 'latin1'))),
    'a\\.git behind a byte that is not UTF-8': tree(file(Buffer.from('\xff\\.git', 'latin1'))),
    'cut in the oid': tree(file('a')).subarray(0, -1),
    'cut in the second entry': tree(file('a'), file('b')).subarray(0, -1),
    'cut behind the name': tree(file('a')).subarray(0, 9),
    'bytes behind the last entry': Buffer.concat([tree(file('a')), Buffer.from('x')]),
    text: Buffer.from('not a tree at all, but long enough to be one of some kind, is it not?\n')
  }
  for (const name of dotNames) {
    table[`file ${JSON.stringify(name)}`] = tree(file(name))
    table[`link ${JSON.stringify(name)}`] = tree(entry('120000', name, blob))
  }
  return table
}

/** Identities, as they stand behind `author `. */
const identities = [
  'A <a@b> 1 +0000',
  'A <a@b> 0 +0000',
  'A <> 1 +0000',
  '  A  < a b > 1 -0330',
  'A <a@b>  1 +0000',
  'A <a@b> 1 +9999',
  '<a@b> 1 +0000',
  ' <a@b> 1 +0000',
  'A a@b 1 +0000',
  'A',
  '',
  'A> <a@b> 1 +0000',
  'A<a@b> 1 +0000',
  'A <a@b 1 +0000',
  'A <a<b> 1 +0000',
  'A <a@b>1 +0000',
  'A <a@b>',
  'A <a@b>> 1 +0000',
  'A <a@b> x +0000',
  'A <a@b> 01 +0000',
  'A <a@b> 00 +0000',
  'A <a@b> 0x1 +0000',
  'A <a@b> 1x +0000',
  'A <a@b> 1',
  'A <a@b> 9223372036854775807 +0000',
  'A <a@b> 9223372036854775808 +0000',
  'A <a@b> 18446744073709551615 +0000',
  'A <a@b> 99999999999999999999 +0000',
  'A <a@b> 999999999999999999999999999999 +0000',
  'A <a@b> 1 0000',
  'A <a@b> 1 +000',
  'A <a@b> 1 +00000',
  'A <a@b> 1 +0000 ',
  'A <a@b> 1  +0000',
  'A <a@b> 1 GMT',
  'M\xfcller <a@b> 1 +0000'
]

const someone = 'A <a@b> 1 +0000'

/** Commits. */
export function oddCommits({ tree }: Pick<Named, 'tree'>): Table {
  const absent = 'ab'.repeat(tree.length / 2)
  const people = `author ${someone}\ncommitter ${someone}\n`
  const texts: Record<string, string> = {
    plain: `tree ${tree}\n${people}\nx\n`,
    'no message': `tree ${tree}\n${people}`,
    'no end of the header': `tree ${tree}\n${people}`.slice(0, -1),
    'a parent': `tree ${tree}\nparent ${absent}\n${people}\nx\n`,
    'a parent twice': `tree ${tree}\nparent ${absent}\nparent ${absent}\n${people}\nx\n`,
    'an upper-case oid': `tree ${tree.toUpperCase()}\n${people}\nx\n`,
    'NUL in the message': `tree ${tree}\n${people}\nx\0y\n`,
    'NUL in the header': `tree ${tree}\n${people}x\0y\n\nx\n`,
    'NUL in the name': `tree ${tree}\nauthor \0${someone}\ncommitter ${someone}\n\nx\n`,
    empty: '',
    'only a message': '\nx\n',
    'only a tree': `tree ${tree}\n`,
    'only a tree, without a newline': `tree ${tree}`,
    'a tree and a message': `tree ${tree}\n\nx\n`,
    'no tree': `${people}\nx\n`,
    'no tree, but a parent': `parent ${absent}\n${people}\nx\n`,
    'a short tree': `tree ${tree.slice(1)}\n${people}\nx\n`,
    'a long tree': `tree ${tree}0\n${people}\nx\n`,
    'a tree that is not hex': `tree ${'g'.repeat(tree.length)}\n${people}\nx\n`,
    'a short parent': `tree ${tree}\nparent ${absent.slice(1)}\n${people}\nx\n`,
    'a short parent at the end': `tree ${tree}\nparent ab\n`,
    'a parent that is not hex': `tree ${tree}\nparent ${'g'.repeat(tree.length)}\n${people}\nx\n`,
    'no author': `tree ${tree}\ncommitter ${someone}\n\nx\n`,
    'two authors': `tree ${tree}\nauthor ${someone}\n${people}\nx\n`,
    'no committer': `tree ${tree}\nauthor ${someone}\n\nx\n`,
    'two committers': `tree ${tree}\n${people}committer ${someone}\n\nx\n`,
    'committer first': `tree ${tree}\ncommitter ${someone}\nauthor ${someone}\n\nx\n`,
    'a parent behind the author': `tree ${tree}\nauthor ${someone}\nparent ${absent}\ncommitter ${someone}\n\nx\n`,
    'an encoding': `tree ${tree}\n${people}encoding latin-1\n\n\xfc\n`,
    'a signature': `tree ${tree}\n${people}gpgsig -----BEGIN\n x\n -----END\n\nx\n`,
    'any other header': `tree ${tree}\n${people}odd header\n\nx\n`,
    'a malformed line in the header': `tree ${tree}\n${people}odd\n\nx\n`,
    'no empty line': `tree ${tree}\n${people}x\n`
  }
  for (const identity of identities) {
    texts[`author ${identity}`] = `tree ${tree}\nauthor ${identity}\ncommitter ${someone}\n\nx\n`
    texts[`committer ${identity}`] = `tree ${tree}\nauthor ${someone}\ncommitter ${identity}\n\nx\n`
  }
  return toBytes(texts)
}

/** Tags. */
export function oddTags({ blob }: Pick<Named, 'blob'>): Table {
  const head = `object ${blob}\ntype blob\n`
  const tagger = `tagger ${someone}\n`
  const texts: Record<string, string> = {
    plain: `${head}tag x\n${tagger}\nx\n`,
    'no tagger': `${head}tag x\n\nx\n`,
    'no tagger and no message': `${head}tag x\n`,
    'no end of the header': `${head}tag x`,
    'no message': `${head}tag x\n${tagger}`,
    'an upper-case oid': `object ${blob.toUpperCase()}\ntype blob\ntag x\n${tagger}\nx\n`,
    'any other header': `${head}tag x\n${tagger}odd header\n\nx\n`,
    'a header instead of the tagger': `${head}tag x\nodd header\n\nx\n`,
    'NUL in the message': `${head}tag x\n${tagger}\nx\0y\n`,
    'NUL in the header': `${head}tag x\0y\n${tagger}\nx\n`,
    empty: '',
    'no object': `type blob\ntag x\n${tagger}\nx\n`,
    'a short object': `object ${blob.slice(1)}\ntype blob\ntag x\n${tagger}\nx\n`,
    'a long object': `object ${blob}0\ntype blob\ntag x\n${tagger}\nx\n`,
    'no type': `object ${blob}\ntag x\n${tagger}\nx\n`,
    'no such type': `object ${blob}\ntype thing\ntag x\n${tagger}\nx\n`,
    'no name line': `${head}${tagger}\nx\n`,
    'the name before the type': `object ${blob}\ntag x\ntype blob\n${tagger}\nx\n`
  }
  const names = [
    '',
    ' ',
    'a b',
    'a~1',
    'a..b',
    'a/',
    '/a',
    'a//b',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    'a.',
    '@',
    'a@{b'
  ]
  for (const name of [
    ...names,
    '-a',
    'a/b',
    'f\xfcr',
    'x'.repeat(300),
    'a\\b',
    'a:b',
    '\x7f',
    'HEAD',
    'refs/tags/a',
    'a\rb'
  ])
    texts[`name ${JSON.stringify(name)}`] = `${head}tag ${name}\n${tagger}\nx\n`
  for (const identity of identities) texts[`tagger ${identity}`] = `${head}tag x\ntagger ${identity}\n\nx\n`
  return toBytes(texts)
}

function toBytes(texts: Readonly<Record<string, string>>): Table {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, 'latin1')]))
}
