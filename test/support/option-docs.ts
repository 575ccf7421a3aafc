/** Reads from the sources which options there are and what their documentation says of defaults. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

/** An optional member of an interface or a type. */
export interface DocumentedOption {
  /** `Interface.member`; members of one name in one type are numbered from the second on: `Type.member 2`. */
  readonly name: string
  /** The text after `@default`, on one line. */
  readonly tag: string | undefined
}

const root = new URL('../../src/', import.meta.url)
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const textOf = (name: string) => readFileSync(new URL(name, root), 'utf8')
const sources = files.map(textOf)

/** The text of each interface and type by its name, wherever it stands. What is within one is indented. */
const declarations = new Map<string, string>()
for (const text of sources.flatMap((source) => source.split(/\n(?=[a-z/])/))) {
  const [, name] = /^(?:export )?(?:interface|type) (\w+)/.exec(text) ?? []
  if (name !== undefined) declarations.set(name, `${declarations.get(name) ?? ''}${text}\n`)
}

/** Entry points of their own, whose tests hold their defaults. */
const others = /^(webhooks[./]|prometheus\.ts|opentelemetry[./])/

/** How many `@default` tags there are in the sources of `blobwire` itself. */
export const tagCount =
  files
    .filter((name) => !others.test(name))
    .map(textOf)
    .join('')
    .split('@default').length - 1

/** The options of these types and of all that they name; functions are no options. */
export function documentedOptions(roots: readonly string[]): DocumentedOption[] {
  const reached = new Set(roots)
  for (const name of reached) {
    const text = declarations.get(name) ?? assert.fail(`there is no type ${name}`)
    const names = text.replaceAll(/\/\*.*?\*\//gs, '').match(/\b[A-Z]\w*/g) ?? []
    for (const named of names) {
      if (declarations.has(named) && !declarations.get(named)?.includes('=>')) reached.add(named)
    }
  }
  return [...reached].flatMap((name) => optionsOf(name, declarations.get(name) ?? ''))
}

/** A comment, an optional member, or anything else, which parts a comment from the member it may document. */
const token = /\/\*\*(.*?)\*\/|(?:readonly\s+)?(\w+)\?:|\w+|\S/gs

function optionsOf(owner: string, text: string): DocumentedOption[] {
  const tags = new Map<string, string | undefined>()
  let comment = ''
  for (const [, words, member] of text.matchAll(token)) {
    if (member !== undefined) {
      const earlier = [...tags.keys()].filter((name) => name.split(' ')[0] === `${owner}.${member}`).length
      tags.set(`${owner}.${member}${earlier === 0 ? '' : ` ${earlier + 1}`}`, tagOf(comment))
    }
    comment = words ?? ''
  }
  return [...tags].map(([name, tag]) => ({ name, tag }))
}

function tagOf(comment: string): string | undefined {
  const [, text] = /@default\s([^@]*)/.exec(comment) ?? []
  return text?.replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim()
}
