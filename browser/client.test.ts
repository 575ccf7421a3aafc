/**
 * The client in a real Chromium, bundled as an application bundles it: `npm run test:browser`. See dashboard.test.ts for
 * what it needs.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { type Browser, chromium, type Page, type Route } from 'playwright-core'
import { buildPackage, bundle } from '../runtimes/bundle.ts'
import type { Failure, Work } from '../runtimes/page.ts'
import { problemsOf, type Servers, startServers } from '../runtimes/servers.ts'
import type { TlsFiles } from '../server-fixture/tls-files.ts'
import { hashObject } from '../src/git/oid.ts'
import { executablePath, skip } from './chromium.ts'

let browser: Browser
let directory: string
let servers: Servers
/** Serves the pages alone. */
let pages: Server

before(async () => {
  if (skip) return
  directory = await mkdtemp(join(tmpdir(), 'blobwire-browser-'))
  const alias = { 'node:assert/strict': new URL('../runtimes/assertions.ts', import.meta.url).pathname }
  await buildPackage(directory)
  for (const name of ['page.ts', 'worker.ts']) await bundle(name, directory, { platform: 'browser', alias })
  await writeFile(join(directory, 'chosen.bin'), chosen)
  browser = await chromium.launch({
    executablePath: executablePath as string,
    args: ['--no-sandbox', '--host-resolver-rules=MAP app.test 127.0.0.1']
  })
  pages = createServer(async (request, response) => {
    const file = await fileOf(request.url ?? '')
    response.writeHead(file ? 200 : 404, file && { 'content-type': file.contentType }).end(file?.body)
  }).listen(0, '127.0.0.1')
  await once(pages, 'listening')
  servers = await startServers({ cors: { origins: [originOf('127.0.0.1'), originOf('app.test')] } })
})

after(async () => {
  if (skip) return
  await browser.close()
  pages.close()
  await servers[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const chosen = Uint8Array.from({ length: 5_000_000 }, (_, index) => (index * 7919 + (index >> 9)) & 255)

/** A file of the pages, which are below `/page/`; undefined = there is none. */
async function fileOf(url: string): Promise<{ contentType: string; body: string } | undefined> {
  const [, name] = /^\/page\/(\w*(?:\.js)?)$/.exec(new URL(url, 'http://localhost').pathname) ?? []
  if (name === undefined) return undefined
  if (name !== '') return { contentType: 'text/javascript', body: await readFile(join(directory, name), 'utf8') }
  const body =
    '<!doctype html><link rel="icon" href="data:,"><input type="file"><script type="module" src="page.js"></script>'
  return { contentType: 'text/html', body }
}

/** The origin of the pages, by one of the names of this machine. */
const originOf = (host: string) => `http://${host}:${(pages.address() as AddressInfo).port}`

/** Opens a page of the origin of a server, which knows nothing of it: the test answers in its place. */
async function openOnServer(context: TestContext, origin: string): Promise<Page> {
  return open(context, origin, async (route) => {
    const file = await fileOf(route.request().url())
    return file ? route.fulfill(file) : route.continue()
  })
}

async function open(context: TestContext, origin: string, answer?: (route: Route) => Promise<void>): Promise<Page> {
  const browserContext = await browser.newContext({ ignoreHTTPSErrors: true })
  context.after(() => browserContext.close())
  if (answer) await browserContext.route(`${origin}/page/*`, answer)
  const page = await browserContext.newPage()
  page.on('pageerror', (error) => assert.fail(error))
  await page.goto(`${origin}/page/`)
  await page.waitForFunction('globalThis.work')
  return page
}

/** Has the page do its work of this name. */
async function inPage<Name extends keyof Work>(
  page: Page,
  name: Name,
  ...values: Parameters<Work[Name]>
): Promise<Awaited<ReturnType<Work[Name]>>> {
  type Result = Awaited<ReturnType<Work[Name]>>
  return page.evaluate(
    ([name, values]) => {
      const { work } = globalThis as unknown as { work: Record<string, (...values: unknown[]) => Promise<unknown>> }
      return work[name as string]?.(...(values as unknown[]))
    },
    [name, values] as const
  ) as Promise<Result>
}

test('all cases, in a page of an origin that the servers allow', { skip }, async (context) => {
  const page = await open(context, originOf('127.0.0.1'))
  assert.deepEqual(await problemsOf('page', await inPage(page, 'cases', 'page', servers.addresses)), [])
})

test('all cases, in a worker', { skip }, async (context) => {
  const own = await startServers({ cors: { origins: [originOf('127.0.0.1')] } })
  context.after(() => own[Symbol.asyncDispose]())
  const page = await open(context, originOf('127.0.0.1'))
  const outcomes = await inPage(page, 'casesInWorker', 'worker', own.addresses)
  assert.deepEqual(await problemsOf('worker', outcomes), [])
})

test('a page without TLS, where browsers have no hashes', { skip }, async (context) => {
  const page = await open(context, originOf('app.test'))
  assert.equal(await page.evaluate('crypto.subtle'), undefined)
  const content = new TextEncoder().encode('insecure')
  assert.equal(await inPage(page, 'store', servers.addresses.server, 'insecure'), hashObject('blob', content, 'sha1'))
})

test('a file that the user has chosen goes up and comes down', { skip }, async (context) => {
  const page = await openOnServer(context, servers.addresses.server)
  await page.setInputFiles('input', join(directory, 'chosen.bin'))
  for (const transport of ['json', 'msgpack'] as const) {
    const outcome = await inPage(page, 'uploadChosen', servers.addresses.server, transport)
    const { events, ...rest } = outcome as Exclude<typeof outcome, Failure>
    assert.deepEqual(rest, { oid: hashObject('blob', chosen, 'sha1'), bytes: chosen.length })
    assert.ok(events > 1, `${events} events`)
  }
  const aborted = (await inPage(page, 'abortUpload', servers.addresses.server)) as Failure
  assert.equal(aborted.code, 'cancelled')
})

test('with TLS, a file goes up as one stream over HTTP/2', { skip }, async (context) => {
  const tls = new URL('../test/support/tls/', import.meta.url)
  const [cert, key] = await Promise.all(['server.pem', 'server.key'].map((name) => readFile(new URL(name, tls))))
  const own = await startServers({ tls: { cert, key } as TlsFiles })
  context.after(() => own[Symbol.asyncDispose]())
  const { server } = own.addresses
  const page = await openOnServer(context, server)
  const uploads: string[] = []
  page.on('request', (request) => {
    if (request.url().includes('/uploads/')) uploads.push(request.method())
  })
  await page.setInputFiles('input', join(directory, 'chosen.bin'))
  const { events: _, ...outcome } = (await inPage(page, 'uploadChosen', server, 'msgpack')) as { events: number }
  assert.deepEqual(outcome, { oid: hashObject('blob', chosen, 'sha1'), bytes: chosen.length })
  assert.deepEqual(uploads, ['POST'])
})

test('calls of a page that is offline wait for the network as long as they may', { skip }, async (context) => {
  const { server } = servers.addresses
  const page = await openOnServer(context, server)
  await page.context().setOffline(true)
  const failed = (await inPage(page, 'store', server, 'offline', { retry: false })) as Failure
  assert.equal(failed.code, 'unavailable')
  assert.match(failed.message, /this machine is offline/)
  const stored = inPage(page, 'store', server, 'back')
  await page.waitForTimeout(300)
  await page.context().setOffline(false)
  assert.equal(await stored, hashObject('blob', new TextEncoder().encode('back'), 'sha1'))
})

test('a server that does not know the origin of the page is told of, and nothing is tried again', {
  skip
}, async (context) => {
  const page = await open(context, originOf('localhost'))
  const refused = (await inPage(page, 'store', servers.addresses.server, 'other')) as Failure
  assert.deepEqual([refused.code, refused.reason], ['failed_precondition', 'browser_refused'])
  assert.ok(refused.message.includes(`--cors-origins ${originOf('localhost')}`), refused.message)
})
