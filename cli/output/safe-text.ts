/**
 * Text of repositories and servers, made safe for terminals: control characters can move the cursor, change the title or
 * have the terminal type; format characters can show text in another order than it has (CVE-2021-42574).
 */

const unsafe = /[\p{Cc}\p{Cf}\u2028\u2029]/gu
/** Joins emoji. */
const joiner = '\u200d'
const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

const numbered = (character: string) => {
  const code = character.codePointAt(0) as number
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/** For one line, such as a name. */
export function safeLine(text: string): string {
  return text.replace(unsafe, (character) =>
    character === joiner ? character : (names[character] ?? numbered(character))
  )
}

/** For text of several lines, which keeps line feeds and tabs. */
export function safeText(text: string): string {
  return text.replace(unsafe, (character) =>
    character === joiner || character === '\n' || character === '\t' ? character : numbered(character)
  )
}

/** For JSON, whose strings stay the same. */
export function safeJson(json: string): string {
  return json.replace(unsafe, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join('')
  )
}
