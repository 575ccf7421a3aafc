/** A program that sends webhooks until it is killed: `node sender-child.ts FILE URL SECRET`. It prints the ids that were accepted. */
import { WebhookSender } from '../../src/webhooks.ts'

const [file, url = '', secret = ''] = process.argv.slice(2)
const sender = new WebhookSender({
  destinations: [{ id: 'ci', url, secrets: secret }],
  outbox: { file },
  guard: { allow: ['127.0.0.1'], http: true }
})
for (let index = 0; index < 1000; index++) {
  const { id } = await sender.send({ type: 'push', data: { index } })
  process.stdout.write(`${id}\n`)
}
