/** Bundles the programs of this directory with the package, as applications do. */

import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { replacementOf } from '../scripts/web/graph.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Builds the package below a directory, as it is published but for its dependencies. */
export async function buildPackage(directory: string): Promise<void> {
  const target = join(directory, 'node_modules', 'blobwire')
  await mkdir(target, { recursive: true })
  await cp(join(root, 'package.json'), join(target, 'package.json'))
  await promisify(execFile)(process.execPath, [join(root, 'scripts', 'build.ts'), join(target, 'dist')])
}

/** The modules of `src` that the tests themselves import are those for other runtimes than Node. */
const graph: Plugin = {
  name: 'web-graph',
  setup({ onResolve }) {
    onResolve({ filter: /^\..*\.c?ts$/ }, ({ path, resolveDir, importer }) => ({
      path: replacementOf(join(resolveDir, path), importer)
    }))
  }
}

/** The package is that below the directory. */
const packageIn = (directory: string): Plugin => ({
  name: 'package',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^blobwire$/ }, ({ path, resolveDir, kind }) =>
      resolveDir === directory ? undefined : resolve(path, { resolveDir: directory, kind })
    )
  }
})

/** A program, as one module. `directory` is that of `buildPackage`. */
export async function bundle(name: string, directory: string, options: BuildOptions): Promise<void> {
  await build({
    entryPoints: [join(root, 'runtimes', name)],
    outdir: directory,
    bundle: true,
    format: 'esm',
    logLevel: 'error',
    plugins: [graph, ...(options.external?.includes('blobwire') ? [] : [packageIn(directory)])],
    nodePaths: [join(root, 'node_modules')],
    tsconfigRaw: {},
    ...options
  })
}
