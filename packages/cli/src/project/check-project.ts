import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { CheckFailed, CompilerMissing, ProjectMissing } from '../errors.ts'
import type { Terminal } from '../terminal.ts'

/** What the compiler says of syntax that Node.js cannot remove. */
const NOT_ERASABLE = 'TS1294'

/**
 * `flink check`: checks the types of a project with its own compiler, and says of syntax that Node.js refuses what to
 * write instead. Throws `cli.check-failed` after what is wrong has been printed, `cli.compiler-missing` or `cli.project-missing`.
 */
export function checkProject(folder: string, terminal: Terminal): void {
  const project = resolve(folder)
  if (!existsSync(join(project, 'package.json'))) throw ProjectMissing({ folder: project })
  let compiler: string
  try {
    compiler = createRequire(join(project, 'package.json')).resolve('typescript/bin/tsc')
  } catch (cause) {
    throw CompilerMissing({ project }, cause)
  }
  // Also where the tsconfig.json does not say so: this is what makes `node job.ts` work.
  const args = [compiler, '--noEmit', '--erasableSyntaxOnly', '-p', project]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: project })
  for (const line of explain(`${stdout}${stderr}`.trimEnd())) terminal.complain(line)
  if (status !== 0) throw CheckFailed({ project })
  terminal.print(`${project}: no errors`)
}

/** The lines of the compiler, with a remedy behind those about syntax that is more than types. */
function explain(output: string): string[] {
  if (output === '') return []
  return output
    .split('\n')
    .map(line =>
      line.includes(NOT_ERASABLE)
        ? line.replace(
            /(TS1294: ).*/,
            '$1Node.js only removes types, and this is more than a type. ' +
              'Instead of an enum write an object with `as const`; instead of a parameter property a field that the ' +
              'constructor sets; instead of a namespace a module; instead of `import x = require()` an import; ' +
              'instead of <T>value write value as T.',
          )
        : line,
    )
}
