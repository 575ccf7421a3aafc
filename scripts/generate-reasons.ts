/** Writes the table of error reasons from `src/core/reasons.ts`. `--check` only checks that it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type KnownReason, reasons, ruleOf } from '../src/core/reasons.ts'

const readme = fileURLToPath(new URL('../docs/errors.md', import.meta.url))
const begin = '<!-- reasons: made by `npm run generate` -->\n'
const end = '<!-- end of reasons -->\n'

function row(reason: KnownReason): string {
  const { code, text } = reasons[reason]
  const { retryable, refusal } = ruleOf(code ?? 'unknown', reason)
  const retried = code === undefined ? 'as its code' : retryable && !refusal ? 'yes' : 'no'
  return `| \`${reason}\` | ${code === undefined ? '' : `\`${code}\``} | ${text} | ${retried} |\n`
}

const names = (Object.keys(reasons) as KnownReason[]).filter((reason) => reason !== 'hedge_lost')
const table = `| reason | code | meaning | retried |\n|---|---|---|---|\n${names.map(row).join('')}`

const text = readFileSync(readme, 'utf8')
const [from, to] = [text.indexOf(begin), text.indexOf(end)]
if (from < 0 || to < from) throw new Error('docs/errors.md has no place for the table of reasons')
const wanted = text.slice(0, from + begin.length) + table + text.slice(to)

if (!process.argv.includes('--check')) writeFileSync(readme, wanted)
else if (wanted !== text) {
  console.error('the table of reasons in docs/errors.md is out of date; run `npm run generate`')
  process.exitCode = 1
} else console.log('the table of reasons in docs/errors.md is up to date')
