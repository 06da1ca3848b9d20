import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { VERSION } from '@flink-ts/common'
import { ProjectFolderInUse, ProjectNameInvalid, ProjectPackageUnknown } from '../errors.ts'
import type { Terminal } from '../terminal.ts'
import { projectFiles } from './project-files.ts'

/**
 * `flink init my-jobs`: a folder with a job, its test and type checking. Throws `cli.project-folder-in-use` before it
 * writes anything if there is something in the folder, `cli.project-name-invalid` for a name that npm refuses,
 * `cli.project-package-unknown`.
 */
export function initProject(
  folder: string,
  options: { readonly package?: string },
  terminal: Terminal,
  /** The program that runs: where flink-ts came from is known beside it. */
  program: string = process.argv[1] ?? '',
): void {
  const target = resolve(folder)
  const name = basename(target)
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name) || name.length > 214) throw ProjectNameInvalid({ name })
  const present = existsSync(target) ? readdirSync(target) : []
  if (present.length > 0) throw ProjectFolderInUse({ folder: target, files: present.slice(0, 5) })
  const flink = options.package ?? sourceOfPackage(program, target)
  if (flink === undefined) throw ProjectPackageUnknown({ version: VERSION })
  for (const [path, text] of Object.entries(projectFiles({ name, flink }))) {
    mkdirSync(dirname(join(target, path)), { recursive: true })
    writeFileSync(join(target, path), text)
  }
  terminal.print(`${folder} has a job, its test and type checking. Next:`)
  for (const step of [`cd ${folder}`, 'npm install', 'npm test', 'npm start']) terminal.print(`  ${step}`)
}

/**
 * Where the project (or npx) that `program` is installed in takes flink-ts from: a file, or this version at a registry.
 * Undefined: it runs from a repository or an archive.
 */
function sourceOfPackage(program: string, target: string): string | undefined {
  const parts = program.split(sep)
  const at = parts.lastIndexOf('node_modules')
  if (at < 0) return undefined
  const project = parts.slice(0, at).join(sep)
  const manifest = join(project, 'package.json')
  if (!existsSync(manifest)) return undefined
  const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<
    string,
    Record<string, string> | undefined
  >
  const source = dependencies?.['flink-ts'] ?? devDependencies?.['flink-ts']
  if (source === undefined) return undefined
  if (!source.startsWith('file:')) return VERSION
  const path = relative(target, resolve(project, source.slice('file:'.length)))
  return `file:${path.replaceAll(sep, '/')}`
}
