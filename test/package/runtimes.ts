/** The package in all the ways in which Node runs a program. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { childEnvironment } from '../support/child.ts'
import { type Addresses, everywhere, netFlags } from './everywhere.ts'
import { assertToldOff, oldNode } from './old-node.ts'

const run = promisify(execFile)

/** Programs of a user in `directory`, where the package is installed. */
export function runtimeTests(directory: () => string, addresses: () => Addresses): void {
  const node = (...options: string[]) =>
    run(process.execPath, options, { cwd: directory(), env: childEnvironment }).catch((error) => error)
  const serverOf = () => [addresses().http, addresses().grpc]

  test('CommonJS requires it, and imports the same', async () => {
    const script = `const blobwire = require('blobwire')
      import('blobwire').then(({ createClient, BlobwireError }) => console.log(
        createClient === blobwire.createClient, BlobwireError === blobwire.BlobwireError, Object.keys(blobwire).join()))`
    assert.match((await node('--input-type=commonjs', '-e', script)).stdout, /^true true .*createClient/)
  })

  test('with frozen intrinsics, without __proto__, addons, code from strings, or permissions but for the network', async () => {
    const flags = ['--frozen-intrinsics', '--disable-proto=throw', '--no-addons']
    const refused = ['--disallow-code-generation-from-strings', '--permission', '--allow-fs-read=*']
    const { stdout, stderr } = await node(...flags, ...refused, ...netFlags, 'everywhere.mjs', ...serverOf())
    assert.equal(stdout, everywhere, stderr)
  })

  test('a network that Node denies is told of at once', { skip: netFlags.length === 0 }, async () => {
    const { stdout, stderr } = await node('--permission', '--allow-fs-read=*', 'everywhere.mjs', ...serverOf())
    const lines = stdout.trim().split('\n')
    assert.equal(lines.length, 4, stderr)
    for (const line of lines) assert.match(line, /^\w+: network_denied: .*--allow-net/)
  })

  test('in two worker threads of a process of node:cluster', async () => {
    const { stdout, stderr } = await node('cluster.mjs', ...serverOf())
    const lines = (text: string) => text.split('\n').sort().join('\n')
    assert.equal(lines(stdout), lines(everywhere + everywhere), stderr)
  })

  test('the server of the package needs none of its optional peers, and says what a part of it needs', async () => {
    const works = ['msgpack 40', 'grpc 40']
    const dashboard = ['/dashboard', '/dashboard/uplot.js', '/dashboard/uplot.css'].map((path) => `${path} 200 false`)
    const without = await node('--import', './hidden-peers.mjs', 'serve.mjs', './without')
    assert.deepEqual(
      without.stdout.trim().split('\n'),
      [
        ...works,
        'missing @grpc/reflection,grpc-health-check',
        '/metrics 501 true',
        ...dashboard,
        'true --store postgres needs the package pg, which is not installed: run "npm install pg"',
        'true true'
      ],
      without.stderr
    )
  })

  test('an old Node says in one sentence what is needed', async () => {
    assertToldOff(await node(...oldNode, '--input-type=module', '-e', "import 'blobwire'"), 'import')
    // Before Node 20.19, CommonJS cannot require an ES module.
    const commonjs = ['--no-experimental-require-module', '--input-type=commonjs']
    assertToldOff(await node(...oldNode, ...commonjs, '-e', "require('blobwire')"), 'require')
    const { stderr } = await node(...oldNode, 'node_modules/blobwire/dist/cli/main.js', '--version')
    assert.equal(stderr, 'blobwire needs Node 22.19 or newer; this is v20.20.2\n')
  })
}
