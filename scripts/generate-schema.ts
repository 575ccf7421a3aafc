/**
 * Writes src/schema from the proto file: message types with their comments, the message descriptors for the codecs, and
 * the methods. `--check` only checks that these files are up to date.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import protobuf from 'protobufjs'

const root = new URL('..', import.meta.url).pathname
const header =
  '// Generated from proto/blobwire/v1/vcs.proto by scripts/generate-schema.ts. Change the proto, then run\n' +
  '// `npm run generate`.\n'

const scalarTypes: Record<string, string> = {
  string: 'string',
  bytes: 'Uint8Array',
  bool: 'boolean',
  uint32: 'number',
  uint64: 'number',
  int32: 'number',
  int64: 'number'
}

const schema = protobuf.loadSync(join(root, 'proto/blobwire/v1/vcs.proto'))
const statusFile = protobuf.loadSync(join(root, 'proto/google/rpc/status.proto'))
const statusMessages = ['google.rpc.Status', 'google.protobuf.Any'].map((name) => statusFile.lookupType(name))
const parsed = protobuf.parse(readFileSync(join(root, 'proto/blobwire/v1/vcs.proto'), 'utf8'), {
  alternateCommentMode: true,
  keepCase: false
})
const commented = parsed.root.lookup('blobwire.v1') as protobuf.Namespace
const service = (schema.lookup('blobwire.v1') as protobuf.Namespace).lookupService('VcsService')
const messages = commented.nestedArray.filter((item) => item instanceof protobuf.Type)
const methods = commented.lookupService('VcsService').methodsArray

/** The files of the types that a comment `ts:` may name. */
const namedTypes: Record<string, string> = {
  Mode: '../git/mode.ts',
  ObjectFormat: '../git/oid.ts',
  ObjectKind: '../git/oid.ts'
}

const annotation = /^ts: (.*)\n?/m

/** The text of the comment `ts:` of a message or field. */
const annotated = (comment: string | null) => annotation.exec(comment ?? '')?.[1]

function doc(comment: string | null, indent: string): string {
  const text = (comment ?? '').replace(annotation, '').trim()
  return text ? `${indent}/** ${text.replaceAll('\n', `\n${indent} * `)} */\n` : ''
}

const isRequired = (field: protobuf.Field) => annotated(field.comment) === 'required'

const nameOf = (message: protobuf.Type) => annotated(message.comment) ?? message.name

function typeOf(field: protobuf.Field): string {
  const given = isRequired(field) ? undefined : annotated(field.comment)
  const message = messages.find(({ name }) => name === field.type)
  const single = given ?? scalarTypes[field.type] ?? (message ? nameOf(message) : field.type)
  return field.repeated ? `${single}[]` : single
}

/** Fields of oneofs and messages may be absent; other fields have their proto3 defaults. */
const optional = (field: protobuf.Field) =>
  !isRequired(field) && (field.partOf !== null || (!field.repeated && scalarTypes[field.type] === undefined))

function messagesFile(): string {
  const blocks = messages.map((message) => {
    const fields = message.fieldsArray.map(
      (field) =>
        `${doc(field.comment, '  ')}  ${field.name}${optional(field) ? '?' : ''}: ${typeOf(field)}${optional(field) ? ' | undefined' : ''}\n`
    )
    const body =
      fields.length > 0
        ? `interface ${nameOf(message)} {\n${fields.join('')}}`
        : `type ${nameOf(message)} = Record<never, never>`
    return `${doc(message.comment, '')}export ${body}${fields.length > 0 ? '' : '\n'}\n`
  })
  const messageMap = messages.map((message) => `  ${message.name}: ${nameOf(message)}\n`)
  const text = blocks.join('\n')
  const imports = Object.entries(namedTypes)
    .filter(([name]) => new RegExp(`: ${name}\\b`).test(text))
    .map(([name, from]) => `import type { ${name} } from '${from}'\n`)
    .join('')
    // Types of one file in one import.
    .replace(/ \} from ('.*')\nimport type \{ (\w+) \} from \1/g, ', $2 } from $1')
  return `${header}${imports}\n${text}\n/** Every message by its name. */\nexport interface Messages {\n${messageMap.join('')}}\n`
}

/** A message as `readFields` in src/schema/descriptor.ts reads it. */
function descriptorOf(message: protobuf.Type): string {
  let next = 1
  const fields = message.fieldsArray.map((field) => {
    const number = field.id === next ? '' : `=${field.id}`
    next = field.id + 1
    const type = `${field.type.split('.').at(-1)}${field.repeated ? '[]' : ''}`
    const oneof = field.partOf ? ` ${field.partOf.name}` : ''
    return `${protobuf.util.camelCase(field.name)}${number}${type === 'string' && !oneof ? '' : ` ${type}${oneof}`}`
  })
  return `  ${message.name}: '${fields.join(', ')}'`
}

function descriptorsFile(): string {
  return `${header}import { type Field, type MessageName, readDescriptors } from './descriptor.ts'

/** The fields of every message, as the codecs walk them. */
export const messageDescriptors: Readonly<Record<MessageName, readonly Field[]>> = readDescriptors({
${messages.map(descriptorOf).join(',\n')}
})

/** google.rpc.Status, with the details of an error in gRPC. */
export const statusDescriptors: Readonly<Record<'Status' | 'Any', readonly Field<'Any'>[]>> = readDescriptors({
${statusMessages.map(descriptorOf).join(',\n')}
})
`
}

function methodsFile(): string {
  const lines = methods.map((method) => {
    const resolved = service.methods[method.name]
    const level = resolved?.options?.['idempotency_level'] === 'NO_SIDE_EFFECTS'
    const kind = method.requestStream
      ? method.responseStream
        ? 'bidi_streaming'
        : 'client_streaming'
      : method.responseStream
        ? 'server_streaming'
        : undefined
    const { name, requestType, responseType } = method
    if (requestType !== `${name}Request` || responseType !== `${name}Response`) throw new Error(`messages of ${name}`)
    const options = [...(kind ? [`kind: '${kind}'`] : []), ...(level ? ['readOnly: true'] : [])]
    const given = options.length > 0 ? `, { ${options.join(', ')} }` : ''
    const field = name[0]?.toLowerCase() + name.slice(1)
    return `${doc(method.comment, '  ')}  ${field}: method<Messages['${requestType}'], Messages['${responseType}']>('${name}'${given})`
  })
  return `${header}import { method } from './descriptor.ts'
import type { Messages } from './messages.ts'

/** Full name of the service, as it stands in paths and in gRPC. */
export const serviceName = 'blobwire.v1.VcsService'

/** Every RPC, by its name in lower camel case. */
export const methods = {
${lines.join(',\n')}
} as const
`
}

const files = { 'messages.ts': messagesFile(), 'descriptors.ts': descriptorsFile(), 'methods.ts': methodsFile() }

function format(directory: string) {
  execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', '--vcs-enabled=false', directory], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit']
  })
}

if (process.argv.includes('--check')) {
  const directory = mkdtempSync(join(root, 'src/schema/.check-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    format(directory)
    for (const name of Object.keys(files)) {
      if (readFileSync(join(directory, name), 'utf8') !== readFileSync(join(root, 'src/schema', name), 'utf8')) {
        console.error(`src/schema/${name} is not what the proto says; run \`npm run generate\``)
        process.exitCode = 1
      }
    }
    if (!process.exitCode)
      console.log(`${relative(process.cwd(), join(root, 'src/schema'))} is up to date with the proto`)
  } finally {
    rmSync(directory, { recursive: true })
  }
} else {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'src/schema', name), text)
  format(join(root, 'src/schema'))
}
