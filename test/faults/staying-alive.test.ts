/** A process with nothing else to do does not end before its call has settled, for each way in which a call waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientScript, runNode } from '../support/child.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

/** The output of a process that runs the script with `createClient` at hand. */
async function printed(script: string): Promise<string> {
  const { stdout } = await runNode(...clientScript(script))
  return stdout.trim()
}

for (const transport of transports) {
  test(`${transport}: while a call waits for others (lingerMs)`, async (context) => {
    const fixture = atEnd(context, await testServer())
    await fixture.client().createRepository('demo')
    const endpoint = JSON.stringify(fixture.server.http)
    const script = `
      const client = createClient({ endpoint: ${endpoint}, transport: '${transport}', batch: { lingerMs: 50 } })
      client.storeBlob('demo', 'hello\\n').then(({ size }) => console.log(size)).finally(() => client.close())`
    assert.equal(await printed(script), '6')
  })
}

for (const batch of ['{}', 'false']) {
  test(`while an idle connection is verified by a PING (batch: ${batch})`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const endpoint = JSON.stringify(fixture.server.http)
    const script = `
      const client = createClient({ endpoint: ${endpoint}, batch: ${batch}, connection: { pingIntervalMs: 20 } })
      await client.createRepository('demo')
      await new Promise((resolve) => setTimeout(resolve, 60))
      console.log((await client.storeBlob('demo', 'hello\\n')).size)
      await client.close()`
    assert.equal(await printed(script), '6')
  })
}
