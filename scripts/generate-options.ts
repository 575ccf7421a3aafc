/**
 * Writes all that is made of the table of options (`src/options/table.ts`): the interfaces, the JSON Schema of
 * configuration files, and the tables of docs/options.md. `--check` only checks that they are up to date.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { optionDocs } from './options/docs.ts'
import { configSchema } from './options/schema.ts'
import { clientTypes, groupTypes } from './options/types.ts'

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

const biome = pathOf('node_modules/@biomejs/biome/bin/biome')

function formatted(name: string, text: string): string {
  const input = { input: text, encoding: 'utf8', cwd: pathOf('.') } as const
  return execFileSync(process.execPath, [biome, 'format', `--stdin-file-path=${name}`], input)
}

const source = (name: string, text: string) => ({ [name]: formatted(name, text) })

/** The files with their text. */
const files: Readonly<Record<string, string>> = {
  ...source('src/options/types.ts', groupTypes()),
  ...source('src/client/client-options.ts', clientTypes()),
  'blobwire.schema.json': configSchema(),
  'docs/options.md': optionDocs()
}

const isUpToDate = (name: string) => {
  try {
    return readFileSync(pathOf(name), 'utf8') === files[name]
  } catch {
    return false
  }
}

if (!process.argv.includes('--check')) {
  for (const [name, text] of Object.entries(files)) writeFileSync(pathOf(name), text)
} else {
  const stale = Object.keys(files).filter((name) => !isUpToDate(name))
  for (const name of stale) console.error(`${name} is out of date; run \`npm run generate\``)
  if (stale.length > 0) process.exitCode = 1
  else console.log('the files made of the table of options are up to date')
}
