/** Makes `dist` (or the folder that is given): JavaScript and declarations. The proto files stay one level above. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const outDir = process.argv[2] ?? join(root, 'dist')
rmSync(outDir, { recursive: true, force: true })
const tsc = join(root, 'node_modules/.bin/tsc')
execFileSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', outDir], { cwd: root, stdio: 'inherit' })
