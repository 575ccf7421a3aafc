/** The packed package, as users get it: its types stand on their own, for every TypeScript that they may have. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import ts from 'typescript-5.9'
import { firstHour } from '../../scripts/first-hour/first-hour.ts'
import { newDatabase } from '../support/database.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { bundleTests } from './bundles.ts'
import type { Addresses } from './everywhere.ts'
import { install, packed } from './packed.ts'
import { rejected } from './rejected.ts'
import { runtimeTests } from './runtimes.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const user = fileURLToPath(new URL('user', import.meta.url))

/** With Node's types, with the DOM's, and with neither. */
const node = { module: 'nodenext', lib: ['es2022'], types: ['node'] }
const dom = { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] }
const bare = { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022'], types: [] }

/**
 * TypeScript 5.2 is the first with `await using`, and with the types that it needs. The older ones, which take seconds for
 * each platform, share them out.
 */
const compilers = [
  { typescript: 'typescript-5.2', nodeTypes: 'node-types-22', platforms: [node, bare] },
  { typescript: 'typescript-5.9', nodeTypes: '@types/node', platforms: [dom] },
  { typescript: 'typescript', nodeTypes: '@types/node', platforms: [node, dom, bare] }
]

/** The optional peers whose types declarations may name, by the beginning of their names. */
const peers = { 'src/prometheus.': 'prom-client', 'src/opentelemetry/': '@opentelemetry/api' }

describe('the packed package', () => {
  let directory: string
  let tarball: string
  let installed: string
  let server: TestServer
  let addresses: Addresses

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'blobwire-package-'))
    tarball = await packed()
    installed = await install(directory)
    await cp(user, directory, { recursive: true })
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
    await mkdir(join(directory, 'node_modules/types'))
    await mkdir(join(directory, 'node_modules/.bin'))
    await symlink(join(installed, 'dist/cli/main.js'), join(directory, 'node_modules/.bin/blobwire'))
    await chmod(join(installed, 'dist/cli/main.js'), 0o755)
    for (const name of ['@rollup', '@opentelemetry', 'prom-client'])
      await symlink(join(root, 'node_modules', name), join(directory, 'node_modules', name))
    server = await testServer()
    addresses = { http: server.server.http, grpc: server.server.grpc.replace(/^http/, 'grpc') }
    await server.client().createRepository('demo')
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  test('publint, and attw (Are The Types Wrong?), find nothing wrong', async () => {
    const { buffer, byteOffset, byteLength } = await readFile(tarball)
    const packed = { tarball: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer }
    const { messages, pkg } = await publint({ pack: packed, strict: true })
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg)),
      []
    )
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const { code, stdout } = await run(process.execPath, [attw, tarball, '--no-emoji']).catch((error) => error)
    assert.equal(code, undefined, stdout)
  })

  /** What the compiler finds wrong with files of a user. */
  async function compile(typescript: string, files: string[], options: object): Promise<string> {
    // The compiler's own libraries are not the package's.
    const libraries = { skipLibCheck: false, skipDefaultLibCheck: true }
    const strict = { strict: true, target: 'es2022', noEmit: true, ...libraries }
    const compilerOptions = { ...strict, allowImportingTsExtensions: true, noUncheckedIndexedAccess: true, ...options }
    const config = join(directory, `tsconfig.${Math.random()}.json`)
    await writeFile(config, JSON.stringify({ compilerOptions, files }))
    const tsc = join(root, 'node_modules', typescript, 'bin/tsc')
    return run(process.execPath, [tsc, '--pretty', 'false', '-p', config], { cwd: directory }).then(
      () => '',
      (error: { stdout: string }) => error.stdout
    )
  }

  for (const { typescript, nodeTypes, platforms } of compilers) {
    for (const platform of platforms) {
      test(`${typescript}, ${platform.module}, ${[...platform.lib, ...platform.types].join(' ')}`, async () => {
        const typeRoots = join(directory, 'types', typescript)
        await mkdir(typeRoots, { recursive: true })
        await symlink(join(root, 'node_modules', nodeTypes), join(typeRoots, 'node')).catch(() => {})
        const files = ['program.ts', 'observing.ts', 'server.ts', 'webhooks.ts', 'commonjs.cts', 'require.cts']
        // The declarations of the optional peers need Node's types.
        if (platform === node) files.push('metrics.ts')
        assert.equal(await compile(typescript, files, { ...platform, typeRoots: [typeRoots] }), '')
      })
    }
  }

  test('typescript-5.9, commonjs, which finds a package by its main file', async () => {
    const options = { module: 'commonjs', moduleResolution: 'node10', lib: ['es2022'], types: [] }
    assert.equal(await compile('typescript-5.9', ['require.cts'], options), '')
  })

  test('what must not compile does not, and says why', async () => {
    const files = await Promise.all(
      rejected.map(async ({ code }, index) => {
        const name = `rejected-${index}.ts`
        const head = [
          "import { type Call, type Client, createClient, type Interceptor } from 'blobwire'",
          "import { same } from './interceptors.ts'",
          'declare const call: Call, client: Client, interceptor: Interceptor',
          "const repo = client.repository('demo')",
          'export { call, createClient, interceptor, repo, same }'
        ]
        await writeFile(join(directory, name), [...head, code].join('\n'))
        return name
      })
    )
    const lines = (await compile('typescript', files, dom)).split('\n')
    for (const [index, { code, error }] of rejected.entries()) {
      const found = lines.filter((line) => line.startsWith(`rejected-${index}.ts(6,`))
      assert.match(found.join('\n'), error, `${code}: ${found.join() || 'compiles'}`)
      assert.equal(found.length, 1, found.join('\n'))
    }
    assert.equal(lines.filter((line) => /^\S+\.ts\(/.test(line)).length, rejected.length, lines.join('\n'))
  })

  test('the user program names everything that is exported', async () => {
    const entries = [
      ...['index', 'opentelemetry', 'prometheus', 'webhooks'].map((name) => `src/${name}`),
      ...['server-fixture', 'testing'].map((name) => `${name}/index`)
    ]
    const exported = await Promise.all(entries.map((name) => readFile(join(installed, `dist/${name}.d.ts`), 'utf8')))
    const lists = exported.join('\n').matchAll(/^export (?:type )?\{([^}]*)\}/gm)
    const declared = exported
      .join('\n')
      .matchAll(/^export (?:declare )?(?:interface|type|function|class|const) (\w+)/gm)
    const names = [
      ...[...lists].flatMap(([, list = '']) => list.split(',').map((name) => name.trim().replace(/^type /, ''))),
      ...[...declared].map(([, name = '']) => name)
    ]
    const files = (await readdir(user)).filter((name) => name.endsWith('.ts'))
    const texts = await Promise.all(files.map((name) => readFile(join(user, name), 'utf8')))
    const used = new Set(texts.join().match(/\w+/g))
    assert.deepEqual(
      names.filter((name) => !used.has(name)),
      []
    )
    assert.ok(names.length > 80, `${names.length} names`)
  })

  test('its declarations need nothing but each other and the optional peers of their entry point, and there are no maps that lead nowhere', async () => {
    const files = await readdir(join(installed, 'dist'), { recursive: true })
    for (const name of files.filter((file) => file.endsWith('.d.ts'))) {
      const text = await readFile(join(installed, 'dist', name), 'utf8')
      const peer = Object.entries(peers).find(([entry]) => name.replace(/^commonjs\//, '').startsWith(entry))?.[1]
      const code = text.replaceAll(/\/\*.*?\*\//gs, '').replaceAll(`from '${peer}'`, '')
      assert.doesNotMatch(code, /from '[^.]|import\('[^.]|\bBuffer\b|NodeJS\./, name)
    }
    assert.deepEqual(
      files.filter((file) => file.endsWith('.map')),
      []
    )
    assert.doesNotMatch(await readFile(join(installed, 'dist/src/index.js'), 'utf8'), /sourceMappingURL/)
  })

  test('its modules need nothing but its dependencies and optional peers', async () => {
    const { dependencies, peerDependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    const declared = new Set(Object.keys({ ...dependencies, ...peerDependencies }))
    const dist = join(installed, 'dist')
    const files = (await readdir(dist, { recursive: true })).filter((name) => /\.c?js$/.test(name))
    const needed = new Set<string>()
    for (const name of files) {
      const text = await readFile(join(dist, name), 'utf8')
      const code = text.replaceAll(/\/\*.*?\*\//gs, '')
      const forms = [/^(?:.*\bfrom|import) '(@?\w[\w/.:-]*)';$/gm, /\bimport\('(@?\w[\w/.:-]*)'\)/g]
      for (const form of forms) for (const [, path = ''] of code.matchAll(form)) needed.add(path)
    }
    const packages = [...needed].filter((path) => !path.startsWith('node:'))
    const names = packages.map((path) => path.split('/', path.startsWith('@') ? 2 : 1).join('/'))
    assert.deepEqual(
      names.filter((name) => !declared.has(name)),
      []
    )
    for (const name of ['undici', 'commander', '@noble/hashes', 'pg']) assert(names.includes(name), name)
  })

  test('every method of a client says in an editor what it does', () => {
    const declarations = join(installed, 'dist/src/client/client.d.ts')
    const program = ts.createProgram([declarations], { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022 })
    const checker = program.getTypeChecker()
    const module = checker.getSymbolAtLocation(program.getSourceFile(declarations) as ts.SourceFile) as ts.Symbol
    const client = checker.getExportsOfModule(module).find(({ name }) => name === 'Client') as ts.Symbol
    const methods = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(client))
    const documented = methods.filter(({ name }) => /^[a-z]/.test(name))
    for (const method of documented) {
      const text = ts.displayPartsToString(method.getDocumentationComment(checker))
      assert.match(text, /^[A-Z].{20,}\./s, `${method.name}: ${text}`)
      assert.doesNotMatch(text, /^See /, method.name)
    }
    const storeBlob = documented.find(({ name }) => name === 'storeBlob') as ts.Symbol
    assert.match(
      checker.typeToString(checker.getTypeOfSymbol(storeBlob)),
      /^\(repository: string, content: Bytes, options\?: CallOptions.*\) => Promise<StoreBlobResponse>$/
    )
    assert.ok(documented.length > 20, `${documented.length} methods`)
  })

  for (const store of ['git', 'postgres'] as const) {
    test(`${store} store: a server, three lines of client, a clone, a push, a commit by the API, a fetch`, async () => {
      const flags = store === 'git' ? ['--data', 'data'] : ['--database', await newDatabase()]
      const steps = await firstHour({ directory, store: ['--store', store, ...flags] })
      assert.equal(steps.length, 6)
    })
  }

  bundleTests(
    () => directory,
    () => addresses
  )
  runtimeTests(
    () => directory,
    () => addresses
  )
})
