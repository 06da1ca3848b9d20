import type { Command } from 'commander'
import type { Terminal } from '../terminal.ts'

/**
 * `flink completion`: a script for bash (which zsh reads after `bashcompinit`) that completes commands, options, and
 * file names where a program is expected.
 */
export function completionCommand(program: Command, terminal: Terminal): void {
  const names = (command: Command): readonly string[] =>
    command.options.flatMap(option => [option.short, option.long]).filter(name => name !== undefined)
  const commands = program.commands.map(command => command.name())
  const cases = program.commands.map(command => {
    const words = [...names(command), ...command.commands.map(inner => inner.name()), '--help']
    return `    ${command.name()}) words='${words.join(' ')}' ;;`
  })
  terminal.print(`# Put this into ~/.bashrc: eval "$(flink completion)"
_flink() {
  local words
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) words='' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='${[...commands, ...names(program), '--help'].join(' ')}'; fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _flink flink bin/flink`)
}
