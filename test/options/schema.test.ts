/** The JSON Schema of configuration files refuses the files that the checks refuse, and no others. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { readSource } from '../../src/client/registry/config.ts'
import { Findings } from '../../src/client/registry/findings.ts'
import type { BlobwireError } from '../../src/index.ts'
import type { OptionRow } from '../../src/options/row.ts'
import { allClientRows, optionTable } from '../../src/options/table.ts'
import { holds } from '../support/property.ts'

const text = readFileSync(new URL('../../blobwire.schema.json', import.meta.url), 'utf8')
const isValid = new Ajv({ allErrors: false, allowUnionTypes: true }).compile(JSON.parse(text))

type Tree = { [key: string]: unknown }

/** Why the checks refuse a file. */
function refusal(config: unknown): string | undefined {
  const findings = new Findings()
  readSource(config, { source: 'file', findings })
  try {
    findings.throwAny()
    return undefined
  } catch (error) {
    const { details, message } = error as BlobwireError
    // A schema cannot compare two addresses.
    return details.violations?.every(({ description }) => description.includes('same scheme')) ? undefined : message
  }
}

function agree(config: unknown): void {
  const problem = refusal(config)
  const valid = isValid(config)
  const told = `schema: ${JSON.stringify(isValid.errors)}; checks: ${problem}; ${JSON.stringify(config)}`
  assert.equal(valid, problem === undefined, told)
}

const pem = '-----BEGIN CERTIFICATE-----\n'

/** A file that has something of everything. */
const whole = (): Tree => ({
  $schema: './blobwire.schema.json',
  environment: 'testing',
  defaults: {
    timeoutMs: '20s',
    tokenFile: 'token',
    headers: { 'x-team': 'docs' },
    tls: { ca: [pem, pem], keyFile: 'k' }
  },
  clients: {
    none: null,
    storage: {
      profile: 'storage',
      endpoint: [{ url: 'https://[::1]:4100', weight: 2, attemptTimeoutMs: 100 }, 'https://b'],
      connection: { proxy: 'http://proxy:3128', maxConnections: 2, keepAliveMs: 0, noDelay: false },
      batch: { maxBytes: '64KiB', lingerMs: '0ms' },
      maxResponseBytes: '100MiB'
    },
    api: {
      endpoint: 'grpc://host:4101',
      transport: 'grpc',
      compression: 'none',
      gzip: true,
      retry: { maxAttempts: 3, baseMs: '100ms', budgetRatio: 0.5 },
      breaker: false,
      hedge: { delayMs: 5 },
      concurrency: { maxCalls: 10, maxQueued: 0 },
      verify: false
    }
  }
})

/** Values that suit some options and not others. */
const values: readonly unknown[] = [
  0,
  1,
  -1,
  0.5,
  101,
  1e21,
  true,
  false,
  null,
  '',
  '30s',
  '0s',
  '00005ms',
  '99ms',
  '100ms',
  '1B',
  '2h',
  '5 s',
  '10MiB',
  '10MB',
  '0B',
  '1234567890s',
  'auto',
  'adaptive',
  'environment',
  'http://host',
  'http://host:99999',
  'http://user:pw@host',
  'HTTP://host/',
  'grpc://host',
  'grpcs://host:4101',
  'ftp://host',
  'host:4100',
  'production',
  'TLSv1.3',
  pem,
  [],
  ['http://a', 'http://b'],
  [{ weight: 1 }],
  [{ url: 'http://a', wieght: 1 }],
  {},
  { maxAttempts: 2 },
  { delayMs: '1s' },
  { 'X-Team': 'docs' },
  { 'Content-Type': 'a' },
  { 'x-a': 'ü' },
  { 'x a': '' }
]
const names = [
  ...new Set([
    'clients',
    'tokenFile',
    'token',
    'rejectUnauthorized',
    'a b',
    ...Object.values(optionTable).flatMap((rows) => Object.keys(rows))
  ])
]

/** The groups of a client. */
const groups = Object.entries<OptionRow>(allClientRows).flatMap(([name, row]) =>
  row.kind === 'group' ? [{ name, rows: row.rows }] : []
)

/** All objects and lists in a tree. */
function nodesOf(tree: unknown): Tree[] {
  if (typeof tree !== 'object' || tree === null) return []
  return [tree as Tree, ...Object.values(tree).flatMap(nodesOf)]
}

test('a file that has something of everything is taken', () => {
  assert.equal(refusal(whole()), undefined)
  agree(whole())
  agree(null)
  agree([])
  agree('clients')
})

test('each option with each kind of value', () => {
  for (const name of names) for (const value of values) agree({ defaults: { [name]: value } })
  for (const { name: group, rows } of groups) {
    for (const name of Object.keys(rows))
      for (const value of values) agree({ defaults: { [group]: { [name]: value } } })
  }
})

test('files with changes anywhere', () => {
  const change = fc.record({
    node: fc.nat(1000),
    key: fc.nat(1000),
    name: fc.constantFrom(...names),
    isNew: fc.boolean(),
    value: fc.option(fc.constantFrom(...values), { nil: undefined })
  })
  holds(
    fc.array(change, { minLength: 1, maxLength: 3 }),
    (changes) => {
      const config = whole()
      for (const { node, key, name, isNew, value } of changes) {
        const nodes = nodesOf(config)
        const object = nodes[node % nodes.length] as Tree
        const keys = Object.keys(object)
        const at = isNew || keys.length === 0 ? name : (keys[key % keys.length] as string)
        if (Array.isArray(object)) object[key % object.length] = value ?? 'http://c'
        else if (value === undefined) delete object[at]
        else object[at] = structuredClone(value)
      }
      agree(config)
    },
    { runs: 500 }
  )
})
