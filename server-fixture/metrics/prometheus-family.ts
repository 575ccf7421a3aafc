/** One metric of a server, as Prometheus has it. */
import type { HistogramFigures } from './histogram.ts'
import type { ServerFigures } from './snapshot.ts'

export type Labels = Readonly<Record<string, string>>

/** A value with its labels, or a histogram. */
export type Sample =
  | { readonly labels: Labels; readonly value: number }
  | { readonly labels: Labels; readonly figures: HistogramFigures }

/** One metric. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: (snapshot: ServerFigures) => Sample[]
}

const family =
  (type: Family['type']) =>
  (name: string, help: string, samples: Family['samples']): Family => ({ name, help, type, samples })
type MakeFamily = (name: string, help: string, samples: Family['samples']) => Family

export const counter: MakeFamily = family('counter')
export const gauge: MakeFamily = family('gauge')
export const histogram: MakeFamily = family('histogram')

/** A value without labels. */
export function one(value: (snapshot: ServerFigures) => number): Family['samples'] {
  return (snapshot) => [{ labels: {}, value: value(snapshot) }]
}
