import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path'
import type * as Esbuild from 'esbuild'
import type { BuildOptions, BuildResult, Message, Plugin } from 'esbuild'
import { BundleEntryInvalid, BundleFailed, CompilerUnavailable, EntryNotExported } from '../errors.ts'
import { externalPackages } from './native-packages.ts'

/** Name of the program's one module in a bundle. */
export const PROGRAM_MODULE = 'job.mjs'

const ASSET_LOADERS = {
  '.txt': 'text',
  '.sql': 'text',
  '.csv': 'text',
  '.md': 'text',
  '.wasm': 'file',
  '.parquet': 'file',
  '.avro': 'file',
  '.proto': 'text',
  '.png': 'file',
  '.bin': 'file',
} as const satisfies BuildOptions['loader']

// CommonJS packages call `require` for builtin modules, which ES modules do not have.
const REQUIRE_BANNER =
  "import{createRequire as __flinkCreateRequire}from'node:module';const require=__flinkCreateRequire(import.meta.url);"

/**
 * Puts the program and all it imports, but the runtime, into one ES module with its source map, in `stage`. Paths in
 * it are relative to `root`, so that the result depends on the sources only. Returns the native packages it needs,
 * name to folder. Throws `jobgraph.bundle-failed` with file and line of every problem.
 * @param entryFunction an export of the program that is called with its arguments, once it is loaded; undefined: loading
 *   it is all
 */
export async function compileProgram(
  entry: string,
  root: string,
  stage: string,
  entryFunction?: string,
): Promise<Map<string, string>> {
  const esbuild = await loadCompiler(entry)
  const start = entryFunction === undefined ? { entryPoints: [entry] } : callOf(entry, entryFunction)
  if (entryFunction !== undefined) await requireExport(esbuild, entry, root, entryFunction)
  const natives = new Map<string, string>()
  const build = async (banner: string): Promise<BuildResult<{ write: false }>> => {
    try {
      return await esbuild.build({
        ...start,
        absWorkingDir: root,
        outfile: join(root, PROGRAM_MODULE),
        write: false,
        bundle: true,
        format: 'esm',
        platform: 'node',
        target: 'node24',
        sourcemap: 'linked',
        sourcesContent: true,
        loader: ASSET_LOADERS,
        assetNames: 'assets/[name]-[hash]',
        plugins: [externalPackages(natives)],
        logLevel: 'silent',
        legalComments: 'inline',
        banner: { js: banner },
      })
    } catch (error) {
      const problems = (error as { errors?: Message[] }).errors
      if (problems === undefined) throw unavailable(entry, error)
      // Nothing is in the error that the problems do not say.
      throw BundleFailed({ entry, problems: problems.map(problem => describe(problem, root)) })
    }
  }
  let result = await build('')
  // The banner would collide with a `require` that the program declares itself, unless esbuild sees a need for one.
  if (
    result.outputFiles.some(
      file => file.path.endsWith(PROGRAM_MODULE) && file.text.includes('Dynamic require of "'),
    )
  ) {
    result = await build(REQUIRE_BANNER)
  }
  for (const file of result.outputFiles) {
    const path = relative(root, file.path)
    if (path.startsWith(`..${sep}`))
      throw BundleEntryInvalid({ entry, reason: `it makes ${path} outside of ${root}` })
    const target = join(stage, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, file.contents)
  }
  return natives
}

/** The sources of a program, as far as they were found. */
export interface ProgramFiles {
  /** Those of its author, not of installed packages. Absolute. */
  readonly files: readonly string[]
  /** Why it cannot be compiled; undefined: it can. */
  readonly error: Error | undefined
}

/**
 * Follows the imports of a program, without running or writing anything. Throws `jobgraph.bundle-entry-invalid` if there
 * is none, and `jobgraph.compiler-unavailable`.
 */
export async function findProgramFiles(program: string): Promise<ProgramFiles> {
  const entry = resolve(program)
  checkEntry(entry)
  const esbuild = await loadCompiler(entry)
  const folder = dirname(entry)
  const files = new Set([entry])
  const noteFiles: Plugin = {
    name: 'note-files',
    setup(build) {
      build.onLoad({ filter: /./, namespace: 'file' }, ({ path }) => {
        if (!path.includes(`${sep}node_modules${sep}`)) files.add(path)
        return undefined
      })
    },
  }
  try {
    await esbuild.build({
      ...{ entryPoints: [entry], absWorkingDir: folder, outdir: folder, write: false, bundle: true },
      ...{ format: 'esm', platform: 'node', target: 'node24', loader: ASSET_LOADERS },
      ...{ packages: 'external', plugins: [noteFiles], logLevel: 'silent' },
    })
    return { files: [...files], error: undefined }
  } catch (error) {
    const problems = (error as { errors?: Message[] }).errors
    if (problems === undefined) throw unavailable(entry, error)
    const lines = problems.map(problem => describe(problem, folder))
    return { files: [...files], error: BundleFailed({ entry, problems: lines }) }
  }
}

/** Throws `jobgraph.bundle-entry-invalid` unless it is a file of a kind that can be a program. */
export function checkEntry(entry: string): void {
  if (!existsSync(entry)) throw BundleEntryInvalid({ entry, reason: 'there is no such file' })
  if (!statSync(entry).isFile()) throw BundleEntryInvalid({ entry, reason: 'it is not a file' })
  if (!/^\.[mc]?[jt]sx?$/.test(extname(entry))) {
    throw BundleEntryInvalid({ entry, reason: `its name ends in '${extname(entry)}'` })
  }
}

/** Loaded when it is needed: slot threads load this package too. */
async function loadCompiler(entry: string): Promise<typeof Esbuild> {
  try {
    return await import('esbuild')
  } catch (error) {
    throw unavailable(entry, error)
  }
}

/** A module that calls an export of the program. */
function callOf(entry: string, entryFunction: string): Pick<BuildOptions, 'stdin'> {
  const contents = `import * as program from ${JSON.stringify(`./${basename(entry)}`)}
await program[${JSON.stringify(entryFunction)}](process.argv.slice(2))
`
  return {
    stdin: { contents, resolveDir: dirname(entry), sourcefile: `call of ${entryFunction}`, loader: 'js' },
  }
}

/** Throws `jobgraph.entry-not-exported`. What the compiler refuses is left to the build that follows. */
async function requireExport(
  esbuild: typeof Esbuild,
  entry: string,
  root: string,
  entryFunction: string,
): Promise<void> {
  const outputs = await esbuild
    .build({
      ...{ entryPoints: [entry], absWorkingDir: root, outfile: join(root, PROGRAM_MODULE), write: false },
      ...{ bundle: true, format: 'esm', platform: 'node', loader: ASSET_LOADERS, packages: 'external' },
      ...{ metafile: true, logLevel: 'silent' },
    })
    .then(
      ({ metafile }) => Object.values(metafile.outputs),
      () => undefined,
    )
  const known = outputs?.flatMap(({ exports }) => exports)
  if (known !== undefined && !known.includes(entryFunction))
    throw EntryNotExported({ entry, entryFunction, known })
}

/** What esbuild itself fails with, before it has looked at any program: it is missing, or made for another platform. */
function unavailable(entry: string, error: unknown): Error {
  const [first = ''] = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  const reason = /[.!?]$/.test(first) ? first : `${first}.`
  return CompilerUnavailable({ entry, platform: `${process.platform}-${process.arch}`, reason }, error)
}

function describe(problem: Message, root: string): string {
  const { location, text } = problem
  const notes = problem.notes.map(note => ` (${note.text})`).join('')
  if (location === null) return text + notes
  return `${join(root, location.file)}:${location.line}:${location.column + 1}: ${text}${notes}`
}
