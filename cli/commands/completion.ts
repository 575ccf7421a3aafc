/** `blobwire completion`: scripts that complete commands, flags and their values. */
import { Argument } from 'commander'
import { type CompletedCommand, completedCommands } from '../completion/commands.ts'
import type { CommandContext } from '../context.ts'

const shells = ['bash', 'zsh', 'fish'] as const

const notes = `
In ~/.bashrc:                                source <(blobwire completion bash)
In ~/.zshrc, after compinit:                 source <(blobwire completion zsh)
~/.config/fish/completions/blobwire.fish:    blobwire completion fish > that file`

export function addCompletion({ program, run }: CommandContext): void {
  program
    .command('completion')
    .summary('write a script that completes commands in a shell')
    .description('Writes a script that completes commands, flags and their values in a shell.')
    .helpOption('-h, --help', 'show this')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', notes)
    .action((shell: (typeof shells)[number]) =>
      run(async ({ out }) => {
        await out.write(await scriptFor(shell, completedCommands(program)))
        return undefined
      })
    )
}

async function scriptFor(shell: (typeof shells)[number], commands: readonly CompletedCommand[]): Promise<string> {
  if (shell === 'bash') return (await import('../completion/bash.ts')).bashScript(commands)
  if (shell === 'zsh') return (await import('../completion/zsh.ts')).zshScript(commands)
  return (await import('../completion/fish.ts')).fishScript(commands)
}
