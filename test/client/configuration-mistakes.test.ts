/** Mistakes in configurations are told all at once, each with its place and the way to mend it, and without secrets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { BlobwireError, createClientRegistry, loadConfig, type RegistryConfig } from '../../src/index.ts'
import { configGroups } from '../../src/options/config-rows.ts'
import { fileOf } from '../support/configuration-file.ts'

const endpoint = 'http://127.0.0.1:4100'

/** The mistakes of a configuration, by field. */
async function mistakesOf(call: () => unknown): Promise<readonly string[]> {
  try {
    await call()
  } catch (error) {
    assert.ok(error instanceof BlobwireError, inspect(error))
    assert.equal(error.code, 'invalid_argument')
    const { violations = [] } = error.details
    const told = violations.map(({ field, description }) => `${field}: ${description}`)
    const head = told.length === 1 ? '' : `${told.length} mistakes in the configuration:\n`
    assert.equal(error.message, head + told.join('\n'))
    return told
  }
  return []
}

const tenMistakes = `
enviroment: production
defaults:
  timeoutMs: 30 sec
  token: abc-secret
clients:
  storage:
    profile: storge
    endpoint: http://user:pw-secret@host
    connection:
      maxConections: 3
  api:
    endpoint: http://localhost:4100
    maxResponseBytes: 10MB
    retry: { maxAttempts: 0 }
    verify: maybe
`

test('ten mistakes are ten messages, each of which says how to mend it', async (context) => {
  const path = await fileOf(context, tenMistakes)
  const env = { BLOBWIRE_RETRY_MAX_ATTEMPTS: '4' }
  const told = await mistakesOf(() => loadConfig(path, { env }))
  const at = (line: number) => ` (${path}:${line})`
  assert.deepEqual(told, [
    `enviroment: unknown option; did you mean environment? expected one of environment, defaults, clients, $schema${at(2)}`,
    `defaults.timeoutMs: must be a number above 0, or a duration such as 30s, not "30 sec"; did you mean 30s?${at(4)}`,
    `defaults.token: is a secret, which must not stand in this file; name the file that has it as tokenFile${at(5)}`,
    `clients.storage.profile: must be one of webhook, storage, api, monitoring, not "storge"; did you mean storage?${at(8)}`,
    'clients.storage.endpoint: must be http://host[:port], https://host[:port], grpc://host:port or grpcs://host:port, ' +
      `not "http://…@host"; credentials go into the option token${at(9)}`,
    'clients.storage.connection.maxConections: unknown option; did you mean maxConnections? expected one of ' +
      `${Object.keys(configGroups.file.rows['connection']?.kind === 'group' ? configGroups.file.rows['connection'].rows : {}).join(', ')}${at(11)}`,
    `clients.api.maxResponseBytes: must be a number above 0, or a size such as 64KiB, not "10MB"; did you mean 10MiB?${at(14)}`,
    `clients.api.retry.maxAttempts: must be an integer from 1 to 100, not 0${at(15)}`,
    `clients.api.verify: must be true or false, not "maybe"${at(16)}`,
    'BLOBWIRE_RETRY_MAX_ATTEMPTS: unknown variable; did you mean BLOBWIRE_RETRY__MAX_ATTEMPTS? expected BLOBWIRE_<OPTION> ' +
      'with an option of docs/options.md, such as BLOBWIRE_TIMEOUT_MS'
  ])
  assert.equal(told.length, 10)
  assert.doesNotMatch(told.join(), /secret[^,]/)
})

test('a variable that lacks its unit, or the second _ behind a client, is known', async () => {
  const env = { BLOBWIRE_TIMEOUT: '5s', BLOBWIRE_CLIENT_USER_API_ATTEMPT_TIMEOUT_MS: '5s' }
  const told = await mistakesOf(() => createClientRegistry({ clients: { api: { endpoint } } }, { env }))
  assert.deepEqual(
    told.map((mistake) => /^(\w+): unknown variable; did you mean (\w+)\?/.exec(mistake)?.slice(1)),
    [
      ['BLOBWIRE_TIMEOUT', 'BLOBWIRE_TIMEOUT_MS'],
      ['BLOBWIRE_CLIENT_USER_API_ATTEMPT_TIMEOUT_MS', 'BLOBWIRE_CLIENT_USER_API__ATTEMPT_TIMEOUT_MS']
    ]
  )
})

test('mistakes that show in the whole are told of each client', async () => {
  const clients: RegistryConfig['clients'] = {
    nowhere: {},
    mixed: { endpoint: 'grpc://x:1', transport: 'json' },
    half: { endpoint, tls: { cert: '-----BEGIN CERTIFICATE-----' } },
    lost: { endpoint, tokenFile: '/no/such/file' },
    double: { endpoint, token: 'pw', tokenFile: '/dev/null' },
    hedging: { endpoint, hedge: {} as { delayMs: number } },
    'not a name': { endpoint }
  }
  assert.deepEqual(await mistakesOf(() => createClientRegistry({ clients }, { env: {} })), [
    'clients.not a name: is no name of a client: a letter, then up to 63 letters and digits, with single - or _ between them',
    'clients.nowhere.endpoint: is required: give it in the configuration, or set BLOBWIRE_CLIENT_NOWHERE__ENDPOINT, or ' +
      'BLOBWIRE_ENDPOINT for all clients',
    'clients.mixed.transport: must be grpc or auto for a grpc(s):// endpoint, not "json"',
    'clients.half.tls: cert and key must be given together',
    'clients.lost.tokenFile: cannot be read: ENOENT "/no/such/file"',
    'clients.double.tokenFile: must not be given beside token',
    'clients.hedging.hedge.delayMs: must be a number above 0, not undefined'
  ])
})

/** A text in a file, or the environment, and the mistake. */
const odd: readonly (readonly [text: string, env: Record<string, string>, told: readonly RegExp[]])[] = [
  [
    'clients: { storage: {}, api: }\n',
    { BLOBWIRE_CLIENT_STORGE__TOKEN: 'pw-secret' },
    [
      /^BLOBWIRE_CLIENT_STORGE__TOKEN: unknown client STORGE; did you mean BLOBWIRE_CLIENT_STORAGE__TOKEN\? expected one of STORAGE, API$/
    ]
  ],
  ['a: [1', {}, [/:1: is neither YAML nor JSON: /]],
  ['clients:\n  a: {}\n  a: {}\n', {}, [/:3: is neither YAML nor JSON: Map keys must be unique$/]],
  ['defaults: *none\n', {}, [/:1: is neither YAML nor JSON: Unresolved alias .*none$/]],
  [
    `a: &a [x]\nb: &b [${'*a,'.repeat(99)}]\nc: [${'*b,'.repeat(99)}]\n`,
    {},
    [/^.*:1: is neither YAML nor JSON: Excessive alias/]
  ],
  ['- a\n', {}, [/^configuration: must be an object with defaults and clients \(.*:1\)$/]],
  [
    'defaults: { endpoint: "http://x:1" }\nclients: { user-storage: {}, userStorage: {}, a__b: {}, c_: {} }\n',
    {},
    [
      /^clients\.a__b: is no name of a client/,
      /^clients\.c_: is no name of a client/,
      /^clients\.userStorage: has the variables of user-storage, BLOBWIRE_CLIENT_USER_STORAGE__<OPTION>; rename one/
    ]
  ],
  ['clients: main\n', {}, [/^clients: must be an object of options, not "main" \(.*:1\)$/]],
  ['defaults:\n', {}, [/^defaults: must be an object of options, not null \(.*:1\)$/]],
  [
    '',
    { BLOBWIRE_RETRY: '3' },
    [/^BLOBWIRE_RETRY: must be false, or each of its options is a variable, such as BLOBWIRE_RETRY__MAX_ATTEMPTS$/]
  ],
  ['', { BLOBWIRE_HEADERS: 'x-key:pw-secret' }, [/^BLOBWIRE_HEADERS: must be name=value,name=value$/]],
  ['', { BLOBWIRE_TOKEN: 'pw secret' }, [/^BLOBWIRE_TOKEN: must be a bearer token: letters, digits and .*at the end$/]],
  [
    '',
    { BLOBWIRE_CONNECTION__PROXY: 'socks5://pw-secret@host' },
    [/^BLOBWIRE_CONNECTION__PROXY: must be "environment" or/]
  ],
  ['', { BLOBWIRE_TLS__KEY: 'pw-secret' }, [/^BLOBWIRE_TLS__KEY: must be .*; a path is given as keyFile$/]],
  [
    '',
    { BLOBWIRE_ENVIRONMENT: 'staging' },
    [/^BLOBWIRE_ENVIRONMENT: must be one of production, development, testing, not "st/]
  ],
  [
    '',
    { BLOBWIRE_TIMEOUT_MS: 'soon', BLOBWIRE_VERIFY: 'yes' },
    [/^BLOBWIRE_TIMEOUT_MS: must be a number/, /^BLOBWIRE_VERIFY: must be true or false, not "yes"$/]
  ],
  [
    'defaults:\n  connection: { proxy: "http://me:pw-secret@proxy" }\n',
    {},
    [/^defaults\.connection\.proxy: .*in files without a user and password/]
  ],
  [
    'defaults:\n  tls: { key: pw-secret, rejectUnauthorised: false }\n',
    {},
    [
      /^defaults\.tls\.key: is a secret.* as keyFile/,
      /^defaults\.tls\.rejectUnauthorised: unknown option; did you mean rejectUnauthorized/
    ]
  ],
  ['defaults:\n  observers: []\n', {}, [/^defaults\.observers: can only be given in code, to createClientRegistry/]]
]

test('odd files and variables are told, without their secrets', async (context) => {
  for (const [text, env, words] of odd) {
    const path = await fileOf(context, text)
    const told = await mistakesOf(() => loadConfig(path, { env }))
    assert.equal(told.length, words.length, `${text} ${inspect(env)} ${told.join('\n')}`)
    for (const [index, pattern] of words.entries()) assert.match(told[index] as string, pattern)
    assert.doesNotMatch(told.join(), /pw.secret/)
  }
  await assert.rejects(loadConfig('/no/such/blobwire.yaml', { env: {} }), (error: BlobwireError) => {
    assert.equal(error.code, 'not_found')
    assert.match(error.message, /^the configuration cannot be read: ENOENT "\/no\/such\/blobwire.yaml"$/)
    return true
  })
})
