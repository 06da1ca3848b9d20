import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { BuildOptions, BuildResult, Message } from 'esbuild'
import { BundleEntryInvalid, BundleFailed, CompilerUnavailable } from '../errors.ts'
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
 */
export async function compileProgram(
  entry: string,
  root: string,
  stage: string,
): Promise<Map<string, string>> {
  // Loaded when it is needed: slot threads load this package too.
  const esbuild = await import('esbuild').catch((error: unknown) => {
    throw unavailable(entry, error)
  })
  const natives = new Map<string, string>()
  const build = async (banner: string): Promise<BuildResult<{ write: false }>> => {
    try {
      return await esbuild.build({
        entryPoints: [entry],
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
      throw BundleFailed({ entry, problems: problems.map(problem => describe(problem, root)) }, error)
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
