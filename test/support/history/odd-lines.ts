/** What people and old programs have written into commits; all of it is in public repositories, and Git reads it. */

/** Author lines; a character is a byte. `fsck` reports most of them. */
export const oddAuthors: readonly string[] = [
  'Nobody <nobody@example.com>',
  'No Name Date <no@example.com> ',
  ' <empty-name@example.com> 1112912053 +0000',
  'Empty E-mail <> 1112912053 +0000',
  'Long Zone <zone@example.com> 1112912053 +051800',
  'Two Signs <zone@example.com> 1112912053 --700',
  'Short Zone <zone@example.com> 1112912053 +1',
  'Half Hour <zone@example.com> 1112912053 +0545',
  'Far East <zone@example.com> 1112912053 +1400',
  'Epoch <epoch@example.com> 0 +0000',
  'Beyond 2038 <late@example.com> 4102444800 -1200',
  'Far Future <late@example.com> 99999999999 +0000',
  'J\xf6rg M\xfcller <latin1@example.com> 1112912053 +0200',
  'Br\xc3\xa9nda <utf8@example.com> 1112912053 +0200',
  'Two <Two <brackets@example.com>> 1112912053 +0000',
  'Spaces   in between  <a b@example.com> 1112912053 +0000',
  '"Quoted, Name" <quoted@example.com> 1112912053 +0000'
]

/** Headers after the committer line, each a whole line or several. */
export const oddHeaders: readonly string[] = [
  'encoding ISO-8859-1\n',
  'encoding Shift_JIS\n',
  'encoding x-nobody-knows\n',
  'HG:rename old.txt:new.txt\n',
  'HG:extra branch:stable\nHG:extra source:0123456789\n',
  'mergetag object 0000000000000000000000000000000000000001\n type commit\n tag v0\n \n A tag in a commit\n'
]

/** Messages; a character is a byte. */
export const oddMessages: readonly string[] = [
  '',
  'No newline at the end',
  '\n\nThe subject comes late\n',
  'Windows\r\n\r\nwrote this\r\n',
  `${'A subject that never ends '.repeat(40)}\n`,
  'Gr\xfc\xdfe in Latin 1\n',
  'Gr\xc3\xbc\xc3\x9fe in UTF-8 \xf0\x9f\x8e\x89\n',
  'Trailers\n\nSigned-off-by: A <a@example.com>\nCo-authored-by: B <b@example.com>\n',
  '\xfe\xff not text at all \x01\x02\n'
]

const armour = (text: string) => text.match(/.{1,64}/g)?.join('\n') ?? ''

/** Looks like a signature of OpenPGP. */
export function plausibleSignature(payload: Uint8Array): string {
  const body = armour(
    Buffer.concat([payload.subarray(0, 180), Buffer.from([payload.length & 0xff])]).toString('base64')
  )
  return `-----BEGIN PGP SIGNATURE-----\n\n${body}\n=aB3d\n-----END PGP SIGNATURE-----\n`
}

/** A signature as a header of a commit: further lines begin with a space. */
export function signatureHeader(name: string, signature: string): string {
  return `${name} ${signature.trimEnd().split('\n').join('\n ')}\n`
}
