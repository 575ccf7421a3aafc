/** The rows of the table of options: all that is known of an option besides its documentation; see `table.ts`. */

interface Row {
  /** The default in words, where it is no value, such as "the endpoint's host". */
  readonly usually?: string
  /** The value must not show in messages. */
  readonly secret?: true
  readonly required?: true
}

/** A number. With a unit, files and the environment may give it as `30s` or `10MiB`. */
export interface NumberRow extends Row {
  readonly kind: 'number'
  readonly unit?: 'ms' | 'bytes'
  readonly default?: number
  readonly least?: number
  /** Exclusive lower bound. */
  readonly above?: number
  readonly most?: number
  readonly integer?: true
  /** Words that may stand instead of a number, such as `adaptive`. */
  readonly instead?: readonly string[]
}

export interface BooleanRow extends Row {
  readonly kind: 'boolean'
  readonly default?: boolean
}

export interface ChoiceRow extends Row {
  readonly kind: 'choice'
  readonly values: readonly string[]
  readonly default?: string
}

export interface TextRow extends Row {
  readonly kind: 'text'
  readonly default?: string
  /** The allowed values in words, after "must be". */
  readonly must: string
  /** A regular expression of the allowed values. */
  readonly pattern: string
  /** Where less is allowed in files than in code. */
  readonly inFiles?: { readonly must: string; readonly pattern: string }
  /** What the pattern cannot say. */
  readonly isValid?: (text: string) => boolean
}

/** Headers by their names. */
export interface HeadersRow extends Row {
  readonly kind: 'headers'
}

/** The text or the bytes of a PEM file. Files and the environment name the file by `<option>File`, too. */
export interface PemRow extends Row {
  readonly kind: 'pem'
  readonly list?: true
}

/** Options of one subject. */
export interface GroupRow extends Row {
  readonly kind: 'group'
  /** Name of the interface; `table.ts` has its rows. */
  readonly type: string
  readonly rows: Rows
  /** Values that may stand instead of an object. */
  readonly instead?: readonly (false | string)[]
  /** Without the option there is no group, rather than one of defaults. */
  readonly optional?: true
  /** Keys that are given together or not at all. */
  readonly together?: readonly [string, string]
  /** Keys of which the message that they are unknown says more. */
  readonly refused?: Readonly<Record<string, string>>
}

/** An option that only code can give: functions and objects of functions. */
export interface CodeRow extends Row {
  readonly kind: 'code'
  /** The type in TypeScript, and the file below `src` that has it. */
  readonly type: string
  readonly from?: string
  readonly list?: true
  /** The value, or each element of the list, may be a function. */
  readonly callable?: true
  /** Methods that the value, or each element of the list, has, if it is no function. */
  readonly methods?: readonly string[]
}

/** An option with a check of its own, which the client layer has (`client/options.ts`). */
export interface OwnRow extends Row {
  readonly kind: OwnKind
  readonly type: string
  readonly from?: string
}

export type OwnKind = 'endpoint' | 'token'

export type OptionRow = NumberRow | BooleanRow | ChoiceRow | TextRow | HeadersRow | PemRow | GroupRow | CodeRow | OwnRow

export type Rows = Readonly<Record<string, OptionRow>>
