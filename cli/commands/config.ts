/** `blobwire config check`. */
import { type ClientFlags, command } from '../connection/flags.ts'
import { openConfiguration, optionsOf } from '../connection/open-client.ts'
import { addressesOf } from '../connection/server-request.ts'
import type { CommandContext } from '../context.ts'

const notes =
  '\nTells all mistakes at once, and shows no secrets. Nothing is sent. docs/configuration.md has the rules.'

export function addConfig({ program, run }: CommandContext): void {
  const config = program.command('config').summary('check a configuration').description('Checks a configuration.')
  command(config.helpCommand(false), 'check', 'check a configuration and the environment, and tell what they come to')
    .argument('[file]', 'the configuration, YAML or JSON (default: BLOBWIRE_CONFIG)')
    .addHelpText('after', notes)
    .action((file: string | undefined, flags: Pick<ClientFlags, 'json'>) =>
      run(async ({ io, out }) => {
        const registry = await openConfiguration(io.env, file)
        const { environment } = registry
        for (const name of registry.names) {
          const options = await optionsOf(registry, name)
          const { transport = 'auto', token } = options
          const endpoints = addressesOf(options)
          const hasToken = token !== undefined
          const words = `${endpoints.join(', ')}, ${transport}, ${hasToken ? 'with' : 'without'} a token`
          if (flags.json) await out.json({ client: name, environment, endpoints, transport, hasToken })
          else await out.line(`${out.paint('bold', out.name(name))}: ${out.name(words)}`)
        }
        return undefined
      })
    )
}
