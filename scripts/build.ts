/**
 * Builds `dist`, or the directory of the first argument: JavaScript in the directories of its sources, the declarations
 * that the entry points import, and the files of the server's dashboard. Other declarations are internal, and need types
 * that the package does not have. There are no source maps: the JavaScript is the source without its types.
 * `dist/commonjs` is for CommonJS: entry points that require the others, and the same declarations, which TypeScript
 * before 5.8 otherwise does not let CommonJS import. `dist/web` is the graph of modules for other runtimes than Node. The entry points are those that `exports` in package.json names.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeWebGraph } from './web/graph.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const outDir = process.argv[2] ?? join(root, 'dist')

/** A declaration needs nothing of a module that is loaded for its effect alone. */
const effectImport = /^import '\.[^']*';\n/gm
const relativeImport = /(?<=from '|import\(')(\.[^']*)\.ts(?=')/g

/** Collects a declaration and its imports, and makes imports name JavaScript files, as published declarations do. */
function keep(file: string, kept: Set<string>): void {
  if (kept.has(file)) return
  kept.add(file)
  const text = readFileSync(file, 'utf8').replaceAll(effectImport, '')
  for (const [, path] of text.matchAll(relativeImport)) keep(join(dirname(file), `${path}.d.ts`), kept)
  writeFileSync(file, text.replaceAll(relativeImport, '$1.js'))
}

rmSync(outDir, { recursive: true, force: true })
const tsc = join(root, 'node_modules/typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir], { cwd: root, stdio: 'inherit' })

/** Below `dist`, without their extensions: `src/index`. */
function entryPoints(): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { readonly import?: { readonly default: string } }>
  }
  return Object.values(exports).flatMap(({ import: found }) =>
    found ? [found.default.replace(/^\.\/dist\//, '').replace(/\.js$/, '')] : []
  )
}

const entries = entryPoints()
const kept = new Set<string>()
for (const entry of entries) keep(join(outDir, `${entry}.d.ts`), kept)
for (const name of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
  const file = join(outDir, name)
  if (/\.d\.c?ts$/.test(name) && !kept.has(file)) rmSync(file)
}

const commonjs = join(outDir, 'commonjs')
const files: Record<string, string> = { 'package.json': '{ "type": "commonjs" }\n' }
for (const entry of entries) {
  const up = '../'.repeat(entry.split('/').length)
  files[`${entry}.js`] =
    `'use strict'\nrequire('${up}src/check-node.cjs')\nmodule.exports = require('${up}${entry}.js')\n`
}
for (const file of kept) files[relative(outDir, file)] = readFileSync(file, 'utf8')
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(commonjs, name)), { recursive: true })
  writeFileSync(join(commonjs, name), text)
}

writeWebGraph(join(outDir, 'src'), join(outDir, 'web'), ['index.js', 'opentelemetry.js', 'prometheus.js'])
for (const name of readdirSync(join(outDir, 'src'), { recursive: true, encoding: 'utf8' })) {
  if (basename(name) === 'web') rmSync(join(outDir, 'src', name), { recursive: true })
}

const page = 'server-fixture/dashboard/page'
cpSync(join(root, page), join(outDir, page), { recursive: true })
const uplot = join(root, 'node_modules/uplot')
for (const file of ['dist/uPlot.iife.min.js', 'dist/uPlot.min.css', 'LICENSE'])
  cpSync(join(uplot, file), join(outDir, page, 'uplot', file))
