/** One proxy as a child process in the foreground. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { ConfigurationOptions, Ports } from './configurations.ts'
import type { Program, ProxyName } from './programs.ts'

/** Time limit for the start and for the end of a proxy. */
const patienceMs = 15_000

/** The ways to control one kind of proxy. */
interface Control {
  /** Arguments that start the proxy in the foreground with this configuration. */
  start(file: string): string[]
  /** The signal that stops the proxy; requests are cut off soon. */
  readonly stop: NodeJS.Signals
  /** The signal that reloads the configuration, or the arguments of a command that does. */
  readonly reload: NodeJS.Signals | ((file: string, ports: Ports) => string[])
}

const controls: Readonly<Record<ProxyName, Control>> = {
  nginx: { start: (file) => ['-c', file, '-e', 'stderr'], stop: 'SIGTERM', reload: 'SIGHUP' },
  // With a master process, which can be reloaded.
  haproxy: { start: (file) => ['-W', '-db', '-f', file], stop: 'SIGTERM', reload: 'SIGUSR2' },
  caddy: {
    start: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
    stop: 'SIGTERM',
    reload: (file, { admin }) => {
      const address = `127.0.0.1:${admin}`
      return ['reload', '--force', '--config', file, '--adapter', 'caddyfile', '--address', address]
    }
  }
}

/** A port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** A proxy that can be stopped, started and reloaded. */
export class ProxyProcess {
  readonly #program: Program
  readonly #options: ConfigurationOptions
  readonly #file: string
  readonly #log: string[] = []
  readonly #killWithParent = () => this.#child?.kill('SIGKILL')
  #child: ChildProcess | undefined

  /** `options.directory` must exist. */
  constructor(program: Program, options: ConfigurationOptions) {
    this.#program = program
    this.#options = options
    this.#file = join(options.directory, `${program.name}.conf`)
  }

  /** The last lines of the proxy's output. */
  get log(): string {
    return this.#log.join('')
  }

  /** Id of the process, or of its master. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Writes the configuration and starts. @throws Error where the proxy ends, or does not listen in time */
  async start(configuration: string): Promise<void> {
    await writeFile(this.#file, configuration)
    await this.#run()
  }

  /** Stops as a service manager would, and starts again. @throws Error where the proxy does not start again */
  async restart(): Promise<void> {
    await this.stop()
    await this.#run()
  }

  /** Reloads the configuration; the proxy goes on listening meanwhile. @throws Error where the reload fails */
  async reload(): Promise<void> {
    const { reload } = controls[this.#program.name]
    if (typeof reload === 'string') {
      if (this.#child?.kill(reload) !== true) throw this.#failure('cannot be reloaded')
      return
    }
    const child = this.#spawn(reload(this.#file, this.#options.listen))
    const [code] = await once(child, 'exit')
    if (code !== 0) throw this.#failure('cannot be reloaded')
  }

  /** Stops the proxy, by force where it does not end in time. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    process.off('exit', this.#killWithParent)
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(controls[this.#program.name].stop)
    const force = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    await exited
    clearTimeout(force)
  }

  /** @throws Error with the proxy's output, where its process has ended */
  check(): void {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) throw this.#failure('has ended')
  }

  async #run(): Promise<void> {
    this.#child = this.#spawn(controls[this.#program.name].start(this.#file))
    process.once('exit', this.#killWithParent)
    const { http, grpc } = this.#options.listen
    const untilMs = performance.now() + patienceMs
    for (const port of [http, grpc]) {
      while (!(await accepts(port))) {
        this.check()
        if (performance.now() > untilMs) throw this.#failure(`does not listen on ${port}`)
        await wait(20)
      }
    }
    this.check()
  }

  #spawn(args: string[]): ChildProcess {
    // Caddy keeps its state below the home directory.
    const { directory } = this.#options
    const environment = { ...process.env, HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory }
    const child = spawn(this.#program.path, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.#log.push(String(chunk))
        if (this.#log.length > 50) this.#log.shift()
      })
    }
    return child
  }

  #failure(problem: string): Error {
    return new Error(`${this.#program.name} ${problem}:\n${this.log}`)
  }
}
