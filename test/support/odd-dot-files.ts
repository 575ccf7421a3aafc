/** Contents of the files that Git reads itself, by a name of their oddity. */

const submodule = (...lines: string[]) => ['[submodule "a"]', ...lines, ''].join('\n')

/** URLs of submodules, some of which Git refuses. */
const urls = [
  'https://example.org/a.git',
  'https://example.org/%0aa',
  'https://exa%0ample.org/a',
  'https://user%0a@example.org/a',
  'https://user@example.org:80/a?b@c',
  'https:///a',
  'https://',
  'http::https://example.org/a',
  'http::example.org',
  'https::///a',
  'ftp://example.org',
  'ssh://example.org/%0a',
  'git://example.org/a%0ab',
  'git@example.org:a',
  '-a',
  './-a',
  '../a',
  '../../:a',
  './../:a',
  './:a',
  '..\\\\..\\\\:a',
  '..//a',
  './a%0Ab',
  '/a%0ab',
  'a%0ab',
  ''
]

/** Contents of .gitmodules. */
export const oddGitmodules: Readonly<Record<string, string>> = {
  empty: '',
  plain: submodule('\tpath = a', '\turl = https://example.org/a.git'),
  'DOS lines and a byte order mark': `\xef\xbb\xbf${submodule('path = a', 'update = !x')}`.replaceAll('\n', '\r\n'),
  'a byte order mark that is cut': `\xef\xbb${submodule('path = a')}`,
  comments: `# a\n; b\n${submodule('path = a # c', 'url = "b # c" ; d')}`,
  'an update command': submodule('update = !rm -rf .'),
  'an update command in quotes': submodule('update = "!"x'),
  'another update': submodule('update = rebase'),
  'a path that is an option': submodule('path = -a'),
  'a path that is one behind a continued line': submodule('path = \\', '-a'),
  'a path in mixed case': submodule('PaTh = -a'),
  'a path behind a section': '[submodule "a"] path = -a',
  'no value': submodule('path'),
  'a key without a section': 'path = -a\n',
  'no subsection': '[submodule]\npath = -a\n',
  'a subsection behind a dot': '[submodule.A]\npath = -a\n',
  'another section': '[submodules "a"]\npath = -a\n',
  'a section in mixed case': '[SubModule "a"]\npath = -a\n',
  'spaces in the section': '[submodule \t "a"]\npath = -a\n',
  'a line feed in the section': '[submodule \n"a"]\npath = -a\n',
  'no closing bracket': '[submodule "a"\npath = -a\n',
  'text behind the subsection': '[submodule "a" ]\npath = -a\n',
  'an open section': '[submodule',
  'a section without a name': '[]\n',
  'an escaped name': '[submodule "a\\"b\\\\"]\npath = -a\n',
  'a name with an open quote': '[submodule "a]\npath = -a\n',
  'a key that is none': submodule('9 = x'),
  'a key with an underscore': submodule('pa_th = x'),
  'an open quote': submodule('path = "a'),
  'an unknown escape': submodule('path = \\x'),
  'known escapes': submodule('path = \\t\\n\\b\\\\\\"'),
  'a problem in front of a malformed line': submodule('path = -a', 'path = "'),
  'a malformed line in front of a problem': submodule('path = "', 'path = -a'),
  'a name of dots': '[submodule ".."]\npath = a\n',
  'a name that leaves': '[submodule "a/../b"]\npath = a\n',
  'a name that leaves, on Windows': '[submodule "a\\\\..\\\\b"]\npath = a\n',
  'a name with dots in it': '[submodule "a..b/...x/.c"]\npath = a\n',
  'an empty name': '[submodule ""]\npath = a\n',
  'NUL in the name': '[submodule "a\0b"]\npath = -a\n',
  'NUL in the name, behind a key': '[submodule "a.path\0b"]\nurl = -a\npath = b\n',
  'NUL in the name, behind a key of another form': '[submodule "...path\0b"]\nurl = -a\n',
  'one section twice': '[submodule ".."]\na = 1\n[submodule "a"]\na = 1\n[submodule ".."]\npath = -a\n',
  'spaces that are none to Git': submodule('\xa0path = a'),
  'a vertical tab': submodule('\vpath = a'),
  'a name without variables': '[submodule ".."]\n',
  ...Object.fromEntries(urls.map((url) => [`url ${url}`, submodule(`url = ${url}`)])),
  ...Object.fromEntries(urls.map((url) => [`url ${url}, and a line feed`, submodule(`url = ${url}\\n`)]))
}

/** Contents of .gitattributes. */
export const oddGitattributes: Readonly<Record<string, string>> = {
  plain: '* text\n',
  'a line of 2047 bytes': `a\n${'x'.repeat(2047)}\n`,
  'a line of 2048 bytes': `a\n${'x'.repeat(2048)}`,
  'a long line behind a NUL': `a\0\n${'x'.repeat(3000)}\n`
}
