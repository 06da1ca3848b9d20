import { runCli } from './cli.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { formatError } from './format.ts'
import { processTerminal } from './terminal.ts'

const terminal = processTerminal()
// A floating promise of the program: as fatal as under `node job.ts`.
process.on('unhandledRejection', error => {
  terminal.complain(formatError(error))
  process.exit(EXIT_CODES.failed)
})
process.on('uncaughtException', error => {
  terminal.complain(formatError(error))
  process.exit(EXIT_CODES.failed)
})
const code = await runCli(process.argv.slice(2), terminal)
// A program that ran may still have work to do: then the process ends by itself.
if (code !== undefined) process.exit(code)
