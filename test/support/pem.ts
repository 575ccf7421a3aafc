import { readFileSync } from 'node:fs'

/** A certificate or key of test/support/tls. */
export const pem = (name: string) => readFileSync(new URL(`./tls/${name}`, import.meta.url))
