/**
 * The client as other runtimes than Node have it, loaded in this process beside the one for Node: of each module of which a
 * directory `web` beside it has a replacement, the replacement, as scripts/web/graph.ts builds it.
 */
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { replacementOf } from '../../scripts/web/graph.ts'

const source = new URL('../../src/', import.meta.url).href
/** Marks the modules of the graph, which are others than those of the same files in the graph for Node. */
const mark = '?web'

let isHooked = false

/** Loads a module of `src` with everything that it imports, none of which may be of Node. */
export async function importWeb<Module>(path: string): Promise<Module> {
  if (!isHooked) hook()
  isHooked = true
  return (await import(webUrl(`${source}${path}`, import.meta.url) + mark)) as Module
}

function hook(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (!context.parentURL?.endsWith(mark)) return next(specifier, context)
      const { url, ...rest } = next(specifier, context)
      if (url.startsWith('node:')) throw new Error(`${context.parentURL} imports ${url}`)
      if (!url.startsWith(source)) return { ...rest, url }
      // The format is that of the file for Node, which may be CommonJS.
      return { ...rest, format: undefined, url: webUrl(url, context.parentURL) + mark }
    }
  })
}

function webUrl(url: string, importer: string): string {
  const file = fileURLToPath(url)
  return pathToFileURL(replacementOf(file, fileURLToPath(importer))).href
}
