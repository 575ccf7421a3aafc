/** The README, the changelog and docs/ name files, directories, links and npm scripts; each of them exists. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { root } from '../support/child.ts'

const documents = ['README.md', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: root })]
const textOf = (name: string) => readFileSync(join(root, name), 'utf8')
const scripts = Object.keys(JSON.parse(textOf('package.json')).scripts)

const directories = [
  'bench',
  'cli',
  'demo',
  'docs',
  'proto',
  'scripts',
  'server-fixture',
  'soak',
  'src',
  'tcp-proxy',
  'test'
]
const files = directories.flatMap((directory) =>
  readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' }).map((name) => `/${join(directory, name)}`)
)

/** Made by the benchmark and by the build. */
const generated = /^bench\/results\b|\.d\.ts$/

/** A path below the root, or the last segments of one: `dial/connector.ts`; `*` stands for any name. */
function exists(path: string): boolean {
  if (generated.test(path) || existsSync(join(root, path))) return true
  const isAnywhere = directories.every((directory) => !path.startsWith(`${directory}/`))
  const name = path.replace(/^\.?\//, '')
  return globSync(name, { cwd: root }).length > 0 || (isAnywhere && files.some((file) => file.endsWith(`/${name}`)))
}

/** Paths that the text names: source files and documents anywhere, and everything below a directory of the repository. */
function pathsIn(text: string): string[] {
  const named = text.match(/(?<![\w:/.@-])[\w./*-]+\.(?:ts|md|proto)\b/g) ?? []
  const below = text.match(new RegExp(`(?<![\\w:/.@-])(?:${directories.join('|')})/[\\w./*-]*[\\w*]`, 'g')) ?? []
  return [...named, ...below]
}

const linksIn = (text: string) => [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target)
const scriptsIn = (text: string) => [...text.matchAll(/npm run ([\w-]+(?::[\w-]+)*)/g)].map(([, name = '']) => name)

for (const document of documents) {
  test(`${document}: paths, links and npm scripts`, () => {
    const text = textOf(document)
    assert.deepEqual(
      [...new Set(pathsIn(text))].filter((path) => !exists(path)),
      [],
      'paths'
    )
    const links = linksIn(text).filter((target) => !/^https?:/.test(target))
    assert.deepEqual(
      links.filter((target) => !existsSync(join(root, dirname(document), target))),
      [],
      'links'
    )
    assert.deepEqual(
      scriptsIn(text).filter((name) => !scripts.includes(name)),
      [],
      'npm scripts'
    )
  })
}

test('documents named in the sources', () => {
  const sources = files.filter((name) =>
    /^\/(?:src|server-fixture|bench|soak|scripts|proto)\/.*\.(?:ts|proto)$/.test(name)
  )
  const named = sources.flatMap((name) => textOf(name).match(/\bdocs\/[\w-]+\.md/g) ?? [])
  assert.ok(named.length > 3, `${named.length} names`)
  assert.deepEqual(
    named.filter((name) => !existsSync(join(root, name))),
    []
  )
})

test('docs/README.md lists every document, and each begins with those for whom it is', () => {
  const names = documents.filter((name) => name.startsWith('docs/') && name !== 'docs/README.md')
  const listed = linksIn(textOf('docs/README.md'))
  assert.deepEqual(listed.toSorted(), names.map((name) => name.slice('docs/'.length)).toSorted())
  assert.deepEqual(
    names.filter((name) => !/^# .+\n\nFor (?:those|operators|applications|programs)\b/.test(textOf(name))),
    []
  )
})
