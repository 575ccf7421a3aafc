/** Configuration files: YAML, of which JSON is a part. */
import type { Document, LineCounter, Pair } from 'yaml'
import type { FieldViolation } from '../../core/error.ts'

/** A file that was read. */
export interface ConfigText {
  /** Its content; undefined = the file is empty, or is neither YAML nor JSON. */
  readonly value: unknown
  /** Errors of the syntax, with their lines. */
  readonly problems: readonly FieldViolation[]
  /** The line of an option, or of the nearest one around it. */
  lineOf(path: string): number | undefined
}

/** Parses YAML 1.2 or JSON. The parser is loaded by programs that read files alone. */
export async function parseConfig(text: string): Promise<ConfigText> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const problems = [...document.errors, ...document.warnings].map(({ message, pos: [at] }) =>
    problemAt(lines.linePos(at).line, message)
  )
  const read = { problems, lineOf: (path: string) => lineOf(document, stepsOf(path), lines) }
  try {
    return { ...read, value: problems.length === 0 ? document.toJS() : undefined }
  } catch (error) {
    // An alias that nothing stands behind, or aliases of aliases that would fill the memory.
    return { ...read, value: undefined, problems: [problemAt(1, (error as Error).message)] }
  }
}

const problemAt = (line: number, message: string): FieldViolation => ({
  field: `${line}`,
  description: `is neither YAML nor JSON: ${message}`
})

/** `clients.a.endpoint[1].url` is `clients`, `a`, `endpoint`, `1`, `url`. */
const stepsOf = (path: string) => path.split(/[.[\]]+/).filter((step) => step !== '')

function lineOf(document: Document, steps: readonly string[], lines: LineCounter): number | undefined {
  let node: unknown = document.contents
  let at: number | undefined
  for (const step of steps) {
    const items = (node as { items?: unknown[] } | null)?.items ?? []
    const pair = items.find((item) => isNamed(item, step)) as Pair | undefined
    const found = pair ?? items[Number(step)]
    if (found === undefined) break
    node = pair === undefined ? found : pair.value
    at = startOf(pair === undefined ? found : pair.key) ?? at
  }
  return at === undefined ? undefined : lines.linePos(at).line
}

/** Headers are told in lower case. */
const isNamed = (item: unknown, name: string) =>
  String((item as { key?: unknown }).key ?? '').toLowerCase() === name.toLowerCase()

const startOf = (node: unknown) => (node as { range?: readonly number[] } | null)?.range?.[0]
