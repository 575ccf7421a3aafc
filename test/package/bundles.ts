/** The package in a bundle, which runs where nothing but the bundle is to be read. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { childEnvironment } from '../support/child.ts'
import { type Addresses, everywhere, netFlags } from './everywhere.ts'
import { assertToldOff, oldNode } from './old-node.ts'

const run = promisify(execFile)
const programs = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))
const shim = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);"
const esm = ['--format=esm', `--banner:js=${shim}`]

/** The bundles: their names, and how esbuild makes them. */
const esbuilt: Record<string, string[]> = {
  'esm.mjs': [...esm, '--minify'],
  'cjs.cjs': ['--format=cjs'],
  'without-grpc.mjs': [...esm, '--external:@grpc/grpc-js']
}

/** Bundles the program of a user in `directory`, where the package is installed. */
export function bundleTests(directory: () => string, addresses: () => Addresses): void {
  const bundle = (program: string, ...options: string[]) =>
    run(join(programs, program), options, { cwd: directory(), env: childEnvironment })

  /** The output of a bundle in a directory of its own, where it may read nothing else. */
  async function outputOf(bundled: string, main = bundled): Promise<string> {
    const empty = await realpath(await mkdtemp(join(tmpdir(), 'blobwire-bundle-')))
    try {
      await cp(join(directory(), bundled), join(empty, bundled), { recursive: true })
      const flags = ['--permission', `--allow-fs-read=${empty}`, ...netFlags]
      const { http, grpc } = addresses()
      const options = { cwd: empty, env: childEnvironment }
      return (await run(process.execPath, [...flags, join(empty, main), http, grpc], options)).stdout
    } finally {
      await rm(empty, { recursive: true })
    }
  }

  for (const [name, options] of Object.entries(esbuilt)) {
    const flags = options.filter((option) => !option.startsWith('--banner')).join(' ')
    test(`a bundle of esbuild: ${flags}`, async () => {
      const common = ['everywhere.mjs', '--bundle', '--platform=node', '--log-level=error', `--outfile=${name}`]
      await bundle('esbuild', ...common, ...options)
      const output = await outputOf(name)
      if (!name.startsWith('without')) {
        assert.equal(output, everywhere)
        const old = run(process.execPath, [...oldNode, join(directory(), name)], { env: childEnvironment })
        assertToldOff(await old.catch((error) => error), name)
        return
      }
      const [json, msgpack, ...grpc] = output.trim().split('\n')
      assert.equal(`${json}\n${msgpack}`, everywhere.split('\n', 2).join('\n'))
      assert.equal(grpc.length, 2)
      for (const line of grpc) assert.match(line, /^grpc: grpc_js_missing: .*npm install @grpc\/grpc-js/)
    })
  }

  test('a bundle of rollup, with node-resolve, commonjs and json', async () => {
    await bundle('rollup', '--config', 'rollup.config.mjs', '--silent')
    assert.equal(await outputOf('rollup', 'rollup/everywhere.mjs'), everywhere)
  })
}
