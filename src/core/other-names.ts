/** Names that other libraries, and older habits, have for keys and options. */

/** By the other name: the right ones, of which a key may be meant where it is allowed. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  // Objects and revisions
  sha: ['oid', 'newOid'],
  hash: ['oid', 'newOid'],
  id: ['oid'],
  oid: ['newOid', 'object'],
  ref: ['revision', 'name', 'branch'],
  rev: ['revision'],
  branch: ['revision', 'defaultBranch', 'name'],
  commit: ['revision'],
  file: ['path'],
  filename: ['path'],
  filepath: ['path'],
  // Changes
  files: ['changes'],
  parent: ['parents', 'expectedHead'],
  expected: ['expectedOid', 'expectedHead'],
  old: ['expectedOid', 'base'],
  new: ['newOid', 'head'],
  from: ['base', 'moveFrom'],
  to: ['head'],
  data: ['content'],
  body: ['content'],
  remove: ['delete'],
  // Pages
  limit: ['pageSize'],
  perpage: ['pageSize'],
  per_page: ['pageSize'],
  cursor: ['pageToken'],
  page: ['pageToken'],
  // Options
  url: ['endpoint'],
  uri: ['endpoint'],
  baseurl: ['endpoint'],
  host: ['endpoint'],
  address: ['endpoint'],
  retries: ['retry'],
  auth: ['token'],
  apikey: ['token'],
  authorization: ['token'],
  proxy: ['connection'],
  protocol: ['transport'],
  codec: ['transport'],
  format: ['objectFormat'],
  abortsignal: ['signal'],
  idempotencykey: ['requestKey']
}

/** The allowed key that another name stands for. */
export function otherNameOf(key: string, allowed: readonly string[]): string | undefined {
  const lower = key.toLowerCase()
  return Object.hasOwn(otherNames, lower) ? otherNames[lower]?.find((name) => allowed.includes(name)) : undefined
}
