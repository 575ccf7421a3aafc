/**
 * Makes `dist` (or the directory that is given): JavaScript, and the declarations that `index.d.ts` leads to. The others
 * are of the inside, and need types that the package does not bring. There are no source maps: the JavaScript is the
 * source without its types. The proto files stay one level above.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const outDir = process.argv[2] ?? join(root, 'dist')

const relativeImport = /(?<=from '|import\(')(\.[^']*)\.ts(?=')/g

/** Finds the declarations that one leads to, and has them name JavaScript files, as published declarations do. */
function keep(file: string, kept: Set<string>): void {
  if (kept.has(file)) return
  kept.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, path] of text.matchAll(relativeImport)) keep(join(dirname(file), `${path}.d.ts`), kept)
  writeFileSync(file, text.replaceAll(relativeImport, '$1.js'))
}

rmSync(outDir, { recursive: true, force: true })
const tsc = join(root, 'node_modules/typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir], { cwd: root, stdio: 'inherit' })

const kept = new Set<string>()
keep(join(outDir, 'index.d.ts'), kept)
for (const name of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
  const file = join(outDir, name)
  if (name.endsWith('.d.ts') && !kept.has(file)) rmSync(file)
}
