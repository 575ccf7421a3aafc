/**
 * The files of `GET /dashboard`: a page, its style, its scripts and uPlot, which draws the charts. The page fetches nothing
 * from elsewhere. `admin/feed-snapshot.ts` has the figures that it shows.
 */
import { readFile } from 'node:fs/promises'
import type { Exchange } from '../http/exchange.ts'

const charts = './page/uplot/'
const script = 'text/javascript; charset=utf-8'
const style = 'text/css; charset=utf-8'

/** By path: the file, and its type. */
const assets: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/dashboard': ['./page/index.html', 'text/html; charset=utf-8'],
  '/dashboard/style.css': ['./page/style.css', style],
  '/dashboard/main.js': ['./page/main.js', script],
  '/dashboard/charts.js': ['./page/charts.js', script],
  '/dashboard/tables.js': ['./page/tables.js', script],
  '/dashboard/format.js': ['./page/format.js', script],
  '/dashboard/uplot.js': [`${charts}dist/uPlot.iife.min.js`, script],
  '/dashboard/uplot.css': [`${charts}dist/uPlot.min.css`, style]
}

/** Names of repositories are text of strangers: the page runs its own scripts alone, and no other site shows it in a frame. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'"

/** Paths of the page. */
export const dashboardPaths = Object.keys(assets)

/** The built package has its own copy of uPlot; a checkout has npm's. */
async function readAsset(file: string): Promise<Buffer> {
  try {
    return await readFile(new URL(file, import.meta.url))
  } catch (error) {
    if (!file.startsWith(charts)) throw error
    return await readFile(new URL(import.meta.resolve(file.slice('./page/'.length))))
  }
}

/** Answers with a file of the page. */
export async function serveDashboard(exchange: Exchange): Promise<void> {
  const path = exchange.path.split('?', 1)[0] ?? ''
  const [file, type] = assets[path] as readonly [string, string]
  const body = await readAsset(file)
  const headers = {
    'content-type': type,
    'content-length': String(body.length),
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    // The page and its scripts are of one version of the server.
    'cache-control': 'no-cache'
  }
  exchange.respond(200, headers, exchange.method === 'HEAD' ? undefined : body)
}
