/** The syntax of Git's configuration files, which .gitmodules has. Source: git-config(1), "Syntax". */

/** A variable. Its full name is the section, a dot and the key. */
export interface ConfigEntry {
  /** In lower case, with the subsection as it is. Those that stand together under one section have the same string. */
  readonly section: string
  /** In lower case. */
  readonly key: string
  /** Undefined for a key without `=`. */
  readonly value: string | undefined
}

/** The variables of a file up to its first malformed line. */
export interface ParsedConfig {
  readonly entries: readonly ConfigEntry[]
  readonly isMalformed: boolean
}

const space = /[ \t\n\r]/
const keyCharacter = /[a-z0-9-]/i
const escaped: Readonly<Record<string, string>> = { t: '\t', b: '\b', n: '\n', '\\': '\\', '"': '"' }

/** Ends the parsing at a malformed line. */
class Malformed extends Error {}

/** Reads a file, character by character; its end counts as the end of a line. A byte order mark is malformed to fsck. */
class ConfigReader {
  readonly #text: string
  #at = 0
  #section = ''

  constructor(text: string) {
    this.#text = text.replaceAll('\r\n', '\n')
  }

  #next(): string {
    return this.#text[this.#at++] ?? '\n'
  }

  /** The next variable; undefined = there is none. @throws Malformed */
  entry(): ConfigEntry | undefined {
    while (this.#at < this.#text.length) {
      const character = this.#next()
      if (space.test(character)) continue
      if (character === '#' || character === ';') this.#skipLine()
      else if (character === '[') this.#readSection()
      else if (/[a-z]/i.test(character)) return this.#readEntry(character)
      else throw new Malformed()
    }
    return undefined
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = end < 0 ? this.#text.length : end
  }

  #readSection(): void {
    let name = ''
    for (;;) {
      if (this.#at >= this.#text.length) throw new Malformed()
      const character = this.#next()
      if (character === ']') break
      if (space.test(character)) {
        name += `.${this.#readSubsection(character)}`
        break
      }
      if (character !== '.' && !keyCharacter.test(character)) throw new Malformed()
      name += character.toLowerCase()
    }
    if (name === '') throw new Malformed()
    this.#section = name
  }

  #readSubsection(first: string): string {
    let character = first
    while (space.test(character)) {
      if (character === '\n') throw new Malformed()
      character = this.#next()
    }
    if (character !== '"') throw new Malformed()
    let name = ''
    for (character = this.#next(); character !== '"'; character = this.#next()) {
      if (character === '\\') character = this.#next()
      if (character === '\n') throw new Malformed()
      name += character
    }
    if (this.#next() !== ']') throw new Malformed()
    return name
  }

  #readEntry(first: string): ConfigEntry {
    let key = first
    let character = this.#next()
    for (; keyCharacter.test(character); character = this.#next()) key += character
    while (character === ' ' || character === '\t') character = this.#next()
    const name = { section: this.#section, key: key.toLowerCase() }
    if (character === '\n') return { ...name, value: undefined }
    if (character !== '=') throw new Malformed()
    return { ...name, value: this.#readValue() }
  }

  #readValue(): string {
    let value = ''
    /** Length without the spaces at the end. */
    let kept = 0
    let isQuoted = false
    for (let character = this.#next(); character !== '\n' || isQuoted; character = this.#next()) {
      if (character === '\n') throw new Malformed()
      if (!isQuoted && space.test(character)) {
        if (value !== '') value += character
        continue
      }
      if (!isQuoted && (character === ';' || character === '#')) {
        this.#skipLine()
        continue
      }
      if (character === '"') isQuoted = !isQuoted
      else value += character === '\\' ? this.#readEscaped() : character
      kept = value.length
    }
    return value.slice(0, kept)
  }

  #readEscaped(): string {
    const character = this.#next()
    if (character === '\n') return ''
    const meant = escaped[character]
    if (meant === undefined) throw new Malformed()
    return meant
  }
}

/** The variables of a file, whose bytes are given as Latin-1. */
export function parseConfig(text: string): ParsedConfig {
  const reader = new ConfigReader(text)
  const entries: ConfigEntry[] = []
  try {
    for (let entry = reader.entry(); entry !== undefined; entry = reader.entry()) entries.push(entry)
    return { entries, isMalformed: false }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { entries, isMalformed: true }
  }
}
