/** Proxies that speak HTTP/1.1 only to the server, in front of which curl and blobwire ask for refusals. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathOf } from '../find-program.ts'
import { freePort } from '../soak-proxies/proxy-process.ts'
import { refuseBlobwire } from './blobwire.ts'
import { curl } from './curl.ts'
import type { SoakClient, Tally, Target } from './refusals.ts'

interface Proxy {
  readonly name: 'nginx' | 'haproxy'
  configuration(port: number, target: Target, directory: string): string
  args(file: string): string[]
}

const nginx: Proxy = {
  name: 'nginx',
  configuration(port, { url }, directory) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    return `daemon off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((kind) => `${kind}_temp_path ${join(directory, kind)};`).join('\n  ')}
  client_max_body_size 0;
  upstream fixture { server ${url.host}; keepalive 8; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${url.protocol}//fixture;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      # A body is passed on as it comes, so that the answer comes in the middle.
      proxy_request_buffering off;
    }
  }
}
`
  },
  args: (file) => ['-c', file, '-e', 'stderr']
}

const haproxy: Proxy = {
  name: 'haproxy',
  configuration: (port, { url }) => `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
  default_backend fixture
backend fixture
  server fixture ${url.host}${url.protocol === 'https:' ? ' ssl verify none alpn http/1.1' : ''}
`,
  args: (file) => ['-db', '-f', file]
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function start(proxy: Proxy, target: Target): Promise<{ url: URL; child: ChildProcess }> {
  const port = await freePort()
  const directory = join(target.directory, proxy.name)
  await mkdir(directory, { recursive: true })
  const file = join(directory, 'proxy.conf')
  await writeFile(file, proxy.configuration(port, target, directory))
  const child = spawn(pathOf(proxy.name) as string, proxy.args(file), { stdio: ['ignore', 'ignore', 'inherit'] })
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (tries > 500 || child.exitCode !== null) throw new Error(`${proxy.name} does not listen`)
    await wait(20)
  }
  return { url: new URL(`http://127.0.0.1:${port}`), child }
}

function behind(proxy: Proxy): SoakClient {
  return {
    name: proxy.name,
    weight: 4,
    wires: ['TLS', 'HTTP/1.1'],
    missing: pathOf(proxy.name) === undefined ? proxy.name : undefined,
    async refuse(target, count): Promise<Tally> {
      const { url, child } = await start(proxy, target)
      const front = { ...target, url, wire: 'HTTP/1.1' as const }
      try {
        const half = Math.ceil(count / 2)
        const byCurl = await curl.refuse(front, half)
        const byBlobwire = await refuseBlobwire(front, count - half)
        return {
          total: byCurl.total + byBlobwire.total,
          lost: byCurl.lost + byBlobwire.lost,
          example: byCurl.example ?? byBlobwire.example
        }
      } finally {
        child.kill('SIGTERM')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
    }
  }
}

export const proxies: readonly SoakClient[] = [nginx, haproxy].map(behind)
