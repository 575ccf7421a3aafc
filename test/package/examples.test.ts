/** Every example runs as it stands: those of the README and of docs/ against the built package, those of docstrings against src. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { root, runNode } from '../support/child.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { install } from './packed.ts'

describe('examples', () => {
  let fixture: TestServer
  let directory: string

  before(async () => {
    fixture = await testServer()
    directory = await mkdtemp(join(tmpdir(), 'blobwire-examples-'))
    // Without its own, one of a folder above would decide how the examples are read.
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
    await install(directory)
    await symlink(join(root, 'node_modules/@opentelemetry'), join(directory, 'node_modules/@opentelemetry'))
  })
  after(async () => {
    await fixture[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  async function runFile(name: string, text: string): Promise<string> {
    const file = join(directory, name)
    // Files that an example writes are gone with the directory.
    const begin = `process.chdir(${JSON.stringify(directory)})\n`
    await writeFile(file, begin + text.replaceAll('http://127.0.0.1:4100', fixture.server.http))
    // Node 22 warns of its SQLite, which a server has.
    const { stdout, stderr } = await runNode('--disable-warning=ExperimentalWarning', file)
    assert.equal(stderr, '')
    return stdout
  }

  /** Runs all programs of a document; returns their outputs. */
  async function runAll(document: string): Promise<string[]> {
    const text = await readFile(join(root, document), 'utf8')
    const blocks = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, block]) => block ?? '')
    const name = document.replaceAll(/\W/g, '-')
    return Promise.all(blocks.map((block, index) => runFile(`${name}-${index}.mjs`, block)))
  }

  test('README', async () => {
    assert.deepEqual(await runAll('README.md'), ['', 'not_found repository processed\n'])
    const { content } = await fixture.client().getBlob('demo', { revision: 'main', path: 'hello.txt' })
    assert.equal(Buffer.from(content).toString(), 'hello\n')
  })

  test('docs/guide.md and docs/errors.md', async () => {
    assert.deepEqual(await runAll('docs/guide.md'), [
      'ce013625030ba8dba906f756967f9e9ca394464a\nnot_found\n',
      '3000000 1000\nfilms/one.mp4 3000000\nfilms/two.mp4 3000000\n3\n',
      '3\n'
    ])
    assert.deepEqual(await runAll('docs/errors.md'), ['not_found repository processed\n'])
  })

  test('docs/watch.md', async () => {
    const text = await readFile(join(root, 'docs/watch.md'), 'utf8')
    const [, program = ''] = /```js\n([\s\S]*?)```/.exec(text) ?? []
    assert.equal(await runFile('watch.mjs', program), 'start refs/heads/main\nmoves refs/heads/main\n')
  })

  test('docs/configuration.md', async () => {
    const text = await readFile(join(root, 'docs/configuration.md'), 'utf8')
    const [, file = ''] = /```yaml\n([\s\S]*?)```/.exec(text) ?? []
    const [, program = ''] = /```js\n([\s\S]*?)```/.exec(text) ?? []
    await writeFile(join(directory, 'blobwire.yaml'), file.replaceAll('http://127.0.0.1:4100', fixture.server.http))
    const output = await runFile('configuration.mjs', program)
    assert.equal(output, 'ce013625030ba8dba906f756967f9e9ca394464a 2 healthy\n')
  })

  test('docs/webhooks.md', async () => {
    const text = await readFile(join(root, 'docs/webhooks.md'), 'utf8')
    const [, example = ''] = text.match(/```js\n([\s\S]*?)```/) ?? []
    const file = join(directory, 'webhooks.mjs')
    await writeFile(file, `process.chdir(${JSON.stringify(directory)})\n${example}`)
    // Node 22 warns of its SQLite.
    const { stdout, stderr } = await runNode('--disable-warning=ExperimentalWarning', file)
    assert.ok(text.includes(`It prints \`${stdout.trim()}\``) && stderr === '', stdout + stderr)
  })

  test('docs/observing.md', async () => {
    const text = await readFile(join(root, 'docs/observing.md'), 'utf8')
    const examples = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, example]) => example ?? '')
    const [explained = '', metric = ''] = await Promise.all(
      examples.map((example, index) => runFile(`observing-${index}.mjs`, example))
    )
    assert.ok(text.includes(`It prints:\n\n\`\`\`\n${explained}\`\`\``), explained)
    assert.ok(text.includes(`It prints \`${metric.trim()}\``), metric)
  })

  test('docs/interceptors.md', async () => {
    const text = await readFile(join(root, 'docs/interceptors.md'), 'utf8')
    const [, example = ''] = text.match(/```js\n([\s\S]*?)```/) ?? []
    const output = await runFile('interceptors.mjs', example)
    assert.ok(text.includes(`It prints \`${output.trim()}\``), output)
  })

  test('docs/objects.md', async () => {
    const text = await readFile(join(root, 'docs/objects.md'), 'utf8')
    const examples = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, example]) => example ?? '')
    const outputs = await Promise.all(examples.map((example, index) => runFile(`objects-${index}.mjs`, example)))
    assert.deepEqual(outputs, ['is published\nis as it was\n1\n', 'Version 1.0\n true\n'])
  })

  test('docs/testing.md', async () => {
    const text = await readFile(join(root, 'docs/testing.md'), 'utf8')
    const [, example = ''] = text.match(/```ts\n([\s\S]*?)```/) ?? []
    const output = await runFile('testing.ts', example)
    assert.ok(text.includes(`It prints \`${output.trim()}\``), output)
    assert.deepEqual(await runAll('docs/testing.md'), ['1\n'])
  })

  // Those of webhooks have the example of docs/webhooks.md.
  test('docstrings', async () => {
    const source = join(root, 'src')
    const files = (await readdir(source, { recursive: true })).filter((name) => /^(?!webhooks).*\.ts$/.test(name))
    const examples: string[] = []
    for (const name of files) {
      const text = await readFile(join(source, name), 'utf8')
      for (const [, block = ''] of text.matchAll(/\* @example\n([\s\S]*?)\*\//g)) {
        examples.push(block.replace(/^ *\* ?/gm, '').trim())
      }
    }
    assert.ok(examples.length >= 5, `${examples.length} examples`)
    const body = examples.map(
      (example, index) => `{ const client = shared, repo = shared.repository('doc-${index}')
      await repo.createRepository()
      await repo.commitFiles({ ...commit, changes: { 'old.txt': 'x', 'docs/a.md': 'x' } })
      const script = '#!/bin/sh\\n', oid = 'ce013625030ba8dba906f756967f9e9ca394464a'
      const update = { name: 'refs/heads/none', expectedOid: oid, newOid: null }
      await (async () => { ${example.replace('const client =', 'const made =')} })() }`
    )
    await runFile(
      'docstrings.ts',
      `import { BlobwireError, blobOid, createClient, createClientRegistry, loadConfig, type Interceptor, treeOid } from '${join(source, 'index.ts')}'
      import { prometheusMetrics } from '${join(source, 'prometheus.ts')}'
      import { callDurations, meterClients, tracing } from '${join(source, 'opentelemetry.ts')}'
      import { writeFile } from 'node:fs/promises'
      void [BlobwireError, blobOid, callDurations, treeOid, writeFile]
      const endpoint = 'http://127.0.0.1:4100', isEnough = () => true
      const commit = { branch: 'main', message: 'x', author: { name: 'A', email: 'a@b' } }
      const shared = createClient({ endpoint: 'http://127.0.0.1:4100' })
      ${body.join('\n')}
      await shared.close()`
    )
  })
})
