/** Figures as text. */

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Three digits are enough to see a change, and keep their width. */
export function number(value) {
  if (!Number.isFinite(value)) return '–'
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

export const milliseconds = (value) => `${number(value)} ms`

export const percent = (share) => `${number(share * 100)} %`

export function bytes(value) {
  let unit = 0
  let rest = value
  for (; rest >= 1024 && unit < units.length - 1; unit++) rest /= 1024
  return `${unit === 0 ? rest : number(rest)} ${units[unit]}`
}

/** A time span in its two largest units. */
export function duration(seconds) {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's']
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first + 2)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}
