/**
 * The dashboard in a real Chromium: `npm run test:browser`. Needs Chromium or Chrome, as Debian's package `chromium` has it
 * (or its path in CHROMIUM), and says so where there is none.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type RunningServer, startServer } from '../server-fixture/server.ts'
import { createClient } from '../src/index.ts'
import { executablePath, skip } from './chromium.ts'
import { hasPixels, leastContrast, sidewaysOverflow } from './in-page.js'

const phone = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const
const desktop = { viewport: { width: 1280, height: 900 }, colorScheme: 'light' } as const

let browser: Browser
let server: RunningServer
let running = true
let load: Promise<unknown>

/** Calls over all transports, some of which fail. */
async function makeCalls(transport: 'json' | 'msgpack' | 'grpc'): Promise<number> {
  const client = createClient({ endpoint: server.http, transport, token: 'writer' })
  const repository = client.repository(`load-${transport}`)
  await repository.createRepository()
  let calls = 0
  for (; running; calls++) {
    await repository.storeBlob(`content ${calls}`)
    if (calls % 10 === 0) await repository.getBlob('0'.repeat(40)).catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await client.close()
  return calls
}

before(async () => {
  if (skip) return
  browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] })
  const grants = [
    { token: 'writer', access: 'write', repositories: ['*'] },
    { token: 'operator', access: 'none', repositories: [], operate: true }
  ] as const
  server = await startServer({ httpPort: 0, grpcPort: 0, adminPort: 0, grants })
  load = Promise.all((['json', 'msgpack', 'grpc'] as const).map(makeCalls))
})

after(async () => {
  if (skip) return
  running = false
  await load
  await browser.close()
  await server.close()
})

/** Opens the dashboard, and collects everything that must not happen on it. */
async function open(url: string, options: BrowserContextOptions): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== new URL(url).origin && protocol !== 'data:') problems.push(`a request to ${request.url()}`)
  })
  await page.goto(`${url}/dashboard`)
  return { page, problems }
}

const adminUrl = (): string => server.admin ?? assert.fail('no admin port')
const tile = (page: Page, name: string) => page.locator('#tiles li', { hasText: name }).locator('b')

/** Whether something was drawn in the canvas of a chart. */
const isDrawn = (page: Page, id: string) => page.evaluate(hasPixels, `${id} canvas`)

for (const [name, options] of [
  ['on a desktop, light', desktop],
  ['on a phone, dark', phone]
] as const) {
  test(`${name}: figures, charts and tables are live, readable and fit`, { skip }, async (context) => {
    const { page, problems } = await open(adminUrl(), options)
    context.after(() => page.context().close())
    await page.locator('#feed', { hasText: 'live' }).waitFor()
    await page.locator('#state.good', { hasText: 'ready' }).waitFor()
    await page.locator('#methods tr', { hasText: 'StoreBlob' }).waitFor()
    await page.locator('#errors tr', { hasText: 'not_found' }).waitFor()
    await page.locator('#repositories tr', { hasText: 'load-grpc' }).waitFor()
    for (const transport of ['json', 'msgpack', 'grpc']) {
      const rate = page.locator('#transports tr', { hasText: transport }).locator('td').nth(1)
      await rate.filter({ hasText: /^[1-9]/ }).waitFor()
    }
    const before = await tile(page, 'received a second').textContent()
    await tile(page, 'received a second')
      .filter({ hasNotText: before ?? '' })
      .waitFor()
    for (const id of ['#chart-calls', '#chart-latency', '#chart-streams', '#chart-load']) {
      assert.ok(await isDrawn(page, id), `${id} is drawn`)
    }
    const overflow = await page.evaluate(sidewaysOverflow)
    assert.equal(overflow, 0, 'the page does not scroll sideways')
    const contrast = await page.evaluate(leastContrast)
    assert.ok(contrast >= 4.5, `the least contrast is ${contrast}`)
    if (process.env['SCREENSHOTS']) {
      await page.waitForTimeout(5000)
      await page.screenshot({ path: `${process.env['SCREENSHOTS']}/${options.colorScheme}.png`, fullPage: true })
    }
    assert.deepEqual(problems, [])
  })
}

test('the public port asks for a token with the right to operate, as the password', { skip }, async (context) => {
  const refused = await browser.newContext({ httpCredentials: { username: 'any', password: 'writer' } })
  context.after(() => refused.close())
  const page = await refused.newPage()
  const response = await page.goto(`${server.http}/dashboard`).catch(() => undefined)
  assert.notEqual(response?.status(), 200)
  const httpCredentials = { username: 'any', password: 'operator' }
  const { page: allowed, problems } = await open(server.http, { ...desktop, httpCredentials })
  context.after(() => allowed.context().close())
  await allowed.locator('#feed', { hasText: 'live' }).waitFor()
  assert.deepEqual(problems, [])
})

test('a name that is markup is shown as text', { skip }, async (context) => {
  const client = createClient({ endpoint: server.http, token: 'writer' })
  context.after(() => client.close())
  const { page, problems } = await open(adminUrl(), desktop)
  context.after(() => page.context().close())
  // Names of repositories cannot hold markup; request ids can.
  const headers = { 'x-request-id': '<img/src=x/onerror=alert(1)>' }
  let dialogs = 0
  page.on('dialog', () => dialogs++)
  await client.listRepositories({}, { headers })
  await page.locator('#methods tr', { hasText: 'ListRepositories' }).waitFor()
  assert.equal(await page.locator('img').count(), 0)
  assert.equal(dialogs, 0)
  assert.deepEqual(problems, [])
})

test('a server that drains says so, and the page goes on by itself when a server is back', {
  skip
}, async (context) => {
  const first = await startServer({ httpPort: 0, grpcPort: 0, adminPort: 0 })
  const { page } = await open(first.admin ?? assert.fail(), desktop)
  context.after(() => page.context().close())
  await page.locator('#feed', { hasText: 'live' }).waitFor()
  const adminPort = Number(new URL(first.admin ?? '').port)
  await first.close()
  await page.locator('#feed.bad', { hasText: 'does not answer' }).waitFor()
  const second = await startServer({ httpPort: 0, grpcPort: 0, adminPort })
  context.after(() => second.close())
  await page.locator('#feed', { hasText: 'live' }).waitFor({ timeout: 20_000 })
})
