/** The cases on Deno and Bun. Arguments: the name of the runtime, and the addresses as JSON. Prints the outcomes as JSON. */
import * as blobwire from 'blobwire'
import { type Addresses, runCases } from './cases.ts'

declare const process: { readonly argv: readonly string[] }

/** Where it makes a client without closing it, the program ends all the same. */
async function leaveClient(endpoint: string): Promise<void> {
  await blobwire.createClient({ endpoint }).createRepository(`${name}/left`)
}

const [name = '', addresses = ''] = process.argv.slice(2)
const run = { blobwire, name, ...(JSON.parse(addresses) as Addresses) }
console.log(JSON.stringify(await runCases(run)))
await leaveClient(run.server)
