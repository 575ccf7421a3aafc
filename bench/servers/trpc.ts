/** tRPC's standalone server; a blob is a mutation with base64 in it. */
import { createHTTPServer } from '@trpc/server/adapters/standalone'
import { announce } from './blob-map.ts'
import { router } from './trpc-router.ts'

const server = createHTTPServer({ router, maxBodySize: 64 * 1024 * 1024 })
server.listen(0, '127.0.0.1', () => announce(server.address()))
