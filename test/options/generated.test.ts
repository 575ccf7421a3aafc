/** Everything that is made of the table of options is up to date. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { optionDocs } from '../../scripts/options/docs.ts'
import { configSchema } from '../../scripts/options/schema.ts'

const fileOf = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

test('the schema and the page of options are made of the table as it is', () => {
  assert.equal(fileOf('blobwire.schema.json'), configSchema())
  assert.equal(fileOf('docs/options.md'), optionDocs())
})
