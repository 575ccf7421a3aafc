/** connect-web in Chromium, from a page of another origin. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { pathOf } from '../find-program.ts'
import type { Judge, Row } from './outcome.ts'
import type { PageCall } from './page.ts'
import { versionOf } from './versions.ts'

const chromiumPath = () =>
  process.env['CHROMIUM'] ??
  ['chromium', 'chromium-browser', 'google-chrome'].map(pathOf).find((path) => path !== undefined)

/** Through each of its transports, with their defaults. */
export const judgeConnectWeb: Judge = async ({ url: baseUrl, page: url, descriptors, repository }) => {
  const executablePath = chromiumPath()
  if (executablePath === undefined) return 'there is no Chromium: install Debian\'s "chromium", or name it in CHROMIUM'
  const entry = fileURLToPath(new URL('page.ts', import.meta.url))
  const bundled = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife', globalName: 'judge' })
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    await page.addScriptTag({ content: bundled.outputFiles[0]?.text ?? '' })
    const rows: Row[] = []
    for (const protocol of ['Connect', 'Connect with GET', 'gRPC-Web'] as const) {
      const name = repository(`connect-web-${protocol}`)
      const call: PageCall = { baseUrl, descriptors: [...descriptors], repository: name, protocol }
      const cells = await page.evaluate(`judge.callFromPage(${JSON.stringify(call)})`)
      const client = `connect-web in Chromium ${browser.version().split('.', 1)[0]}`
      rows.push({ client, version: versionOf('@connectrpc/connect-web'), protocol, cells: cells as Row['cells'] })
    }
    return rows
  } finally {
    await browser.close()
  }
}
