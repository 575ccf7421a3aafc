/** Receivers of webhooks for tests, and a sender to them. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { verifyWebhook, type WebhookDestination, WebhookSender, type WebhookSenderOptions } from '../../src/webhooks.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { until } from '../support/until.ts'

export const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** Loopback is allowed, which the guard refuses otherwise. */
export const localGuard = { allow: ['127.0.0.1', '::1'], http: true }

/** A request that a receiver got. */
export interface Received {
  readonly id: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The status of the answer, or an answer of its own. */
export type Answering = (
  received: Received,
  response: ServerResponse,
  index: number
) => number | Promise<number> | undefined

export interface TestReceiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  /** A destination with this receiver's URL. */
  destination(id: string, more?: Partial<WebhookDestination>): WebhookDestination
  close(): void
}

/** Starts a receiver on loopback. */
export async function startReceiver(context: TestContext, answer: Answering = () => 204): Promise<TestReceiver> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    read(request, (body) => {
      const { headers, url: path = '' } = request
      const one = { id: String(headers['webhook-id']), path, headers, body }
      const index = received.push(one) - 1
      Promise.resolve(answer(one, response, index)).then((status) => {
        if (status !== undefined) response.writeHead(status).end()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  context.after(close)
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/hooks?of=test`
  return { url, port, received, destination: (id, more) => ({ id, url, secrets: secret, ...more }), close }
}

function read(request: IncomingMessage, whenRead: (body: string) => void): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => whenRead(Buffer.concat(chunks).toString()))
  request.on('error', () => undefined)
}

/** A sender that is closed at the end of the test. */
export function newSender(context: TestContext, options: WebhookSenderOptions): WebhookSender {
  const sender = new WebhookSender({ guard: localGuard, ...options })
  context.after(() => sender.close({ drainMs: 0 }))
  return sender
}

/** The same on a clock that the test advances, without chance. */
export function newFakeSender(context: TestContext, options: WebhookSenderOptions, clock = new FakeClock()) {
  const sender = new WebhookSender({ guard: localGuard, ...options }, { clock, random: () => 0 })
  context.after(() => sender.close({ drainMs: 0 }))
  /** Waits until no attempt is under way. */
  const quiet = () =>
    until(() => sender.stats().destinations.every(({ inFlight }) => inFlight === 0), 'no attempt is under way')
  return { sender, clock, quiet }
}

/** The JSON of a request whose signature is right. */
export function verified({ headers, body }: Received, nowMs = Date.now()): unknown {
  return verifyWebhook(secret, headers, body, { nowMs }).json()
}
