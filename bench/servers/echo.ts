/** Sends back every byte. */
import { createServer } from 'node:net'
import { announce } from './blob-map.ts'

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (chunk) => socket.write(chunk))
  socket.on('error', () => socket.destroy())
})
server.listen(0, '127.0.0.1', () => announce(server.address()))
