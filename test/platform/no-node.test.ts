/** The layers above the network run on any runtime: whatever they import, at any remove, is free of Node. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = new URL('../../src/', import.meta.url)
const layers = [
  'core',
  'options',
  'git',
  'schema',
  'codec',
  'compression',
  'call',
  'retry',
  'balance',
  'batch',
  'session',
  'transfer',
  'client'
]
/** Files that another runtime has its own of: the functions of a platform, and the choice of transports. */
const replaced = /^(platform\/|client\/transport-factory\.ts$)/
/** Dependencies that run everywhere. */
const portable = ['yaml', '@msgpack/msgpack', 'p-retry', 'picomatch', 'modern-tar']

/** The modules that a file loads; imports of types load nothing. */
function importsOf(file: string): string[] {
  const text = readFileSync(new URL(file, source), 'utf8')
  const statements = text.matchAll(
    /^(?:import|export)\s(?!type\s)(?:[^'"`;=()]*\sfrom\s)?'([^']+)'|\bimport\('([^']+)'/gm
  )
  return [...statements].map(([, from, dynamic]) => from ?? (dynamic as string))
}

/** The way to each import of a package or of Node. */
function foreignImports(file: string, seen: Set<string>): string[] {
  if (seen.has(file) || replaced.test(file)) return []
  seen.add(file)
  return importsOf(file).flatMap((name) => {
    if (!name.startsWith('.')) return portable.includes(name) ? [] : [`${file} imports ${name}`]
    const next = new URL(name, new URL(file, source)).href.slice(source.href.length)
    return foreignImports(next, seen).map((way) => `${file} > ${way}`)
  })
}

test('no layer above the network reaches Node, but by the files that another runtime replaces', () => {
  const seen = new Set<string>()
  for (const layer of layers) {
    const files = globSync(`${layer}/**/*.ts`, { cwd: fileURLToPath(source) })
    assert.ok(files.length > 0, layer)
    for (const file of files) assert.deepEqual(foreignImports(file, seen), [])
  }
  // The walk sees through the layers, and sees Node where it is.
  assert.ok(seen.has('transport/errors.ts') && seen.has('connection/endpoint.ts'))
  assert.match(foreignImports('connection/dial/connector.ts', new Set()).join(), /imports node:net/)
  assert.match(foreignImports('connection/grpc/grpc-js.ts', new Set()).join(), /imports @grpc\/grpc-js/)
})
