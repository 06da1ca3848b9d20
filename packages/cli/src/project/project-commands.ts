import type { Command } from 'commander'
import type { Terminal } from '../terminal.ts'

/** Adds the commands for a project of one's own: they need no cluster. */
export function addProjectCommands(program: Command, terminal: Terminal): void {
  program
    .command('init')
    .description('make a new project: a job, its test, type checking')
    .argument('<folder>', 'a new or empty folder; its name becomes that of the project')
    .option('--package <source>', 'where npm finds flink-ts: a version, or file: and a path')
    .action(async (folder: string, options: { package?: string }) => {
      const { initProject } = await import('./init-project.ts')
      initProject(folder, options, terminal)
    })
  program
    .command('check')
    .description('check the types of a project, and that Node.js can run its TypeScript as it is')
    .argument('[folder]', 'with a tsconfig.json', '.')
    .action(async (folder: string) => {
      const { checkProject } = await import('./check-project.ts')
      checkProject(folder, terminal)
    })
}
