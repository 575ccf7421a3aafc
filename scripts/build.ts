/**
 * Builds `dist`, or the directory of the first argument: JavaScript, and the declarations that `index.d.ts` imports. Other
 * declarations are internal, and need types that the package does not have. There are no source maps: the JavaScript is
 * the source without its types. The proto files stay one level above.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const outDir = process.argv[2] ?? join(root, 'dist')

const relativeImport = /(?<=from '|import\(')(\.[^']*)\.ts(?=')/g

/** Collects a declaration and its imports, and makes imports name JavaScript files, as published declarations do. */
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
