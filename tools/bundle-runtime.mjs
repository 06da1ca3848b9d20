// Puts what the start scripts run into few files, below packages/flink-ts/lib: to find, read and link five hundred small
// modules takes longer than anything else that `flink run` does. The start scripts use the bundle only while it is
// newer than every build (bin/config.sh), so that a forgotten run of this costs time, not correctness.
//
// `--into DIR` writes a bundle to ship into DIR, with the data files that it reads.
//
// Mains, thread mains and the package flink-ts share their chunks: a process that was started from here has one copy of
// the runtime. Its programs get that copy, too: lib is itself a package flink-ts, which findRuntimeModuleDirs finds first.

import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const [, into] = process.argv.slice(process.argv.indexOf('--into')).concat(undefined)
/** For tools/dist.mjs: a folder that is complete by itself, wherever it is moved. */
const SEPARATE = process.argv.includes('--into')
const LIB = resolve(SEPARATE ? into : 'packages/flink-ts/lib')
const STAMP = join(LIB, 'built')
const PAGE = resolve('packages/web/dist/page')
/** Processes that run may still load chunks of earlier bundles. */
const KEEP_OLD_CHUNKS_MS = 24 * 3600 * 1000

// These find threads, processes and the package flink-ts by their own place: in the bundle those of the bundle. All
// others keep the address that they have in `dist`.
const FINDS_OWN_PARTS =
  /[\\/]packages[\\/](cluster|network|web)[\\/]dist[\\/]|[\\/]jobgraph[\\/]dist[\\/]bundle[\\/]runtime-modules\.js$/

const started = new Date()
const builds = [...globSync('packages/*/dist/.tsbuildinfo'), ...globSync('packages/web/dist/page/index.html')]
const newestBuildMs = Math.max(...builds.map(path => statSync(path).mtimeMs))
const stampMs = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0
if (!SEPARATE && stampMs > newestBuildMs && !process.argv.includes('--force')) process.exit(0)

const entryPoints = {
  'api/index': 'packages/flink-ts/dist/index.js',
  'entrypoint/cli-main': 'packages/cli/dist/cli-main.js',
  'transport/network-thread': 'packages/network/dist/transport/network-thread.js',
}
for (const file of globSync('packages/cluster/dist/entrypoint/*-main.js')) {
  entryPoints[`entrypoint/${basename(file, '.js')}`] = file
}

/** Files that modules read by their own address, in `packages` and below `--into`. */
const DATA = ['common/data', 'rocksdb/native']

/**
 * Gives each module the address that it has in `dist`, relative to the chunk that it got into; in a separate bundle the
 * address below its folder, where {@link DATA} is.
 */
const originalAddresses = {
  name: 'original-addresses',
  setup(builder) {
    builder.onLoad({ filter: /[\\/]packages[\\/][^\\/]+[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      if (!source.includes('import.meta.url')) return { contents: source }
      // All outputs are one folder below lib.
      const from = SEPARATE ? resolve('packages/chunks') : join(LIB, 'chunks')
      const place = JSON.stringify(relative(from, path).replaceAll(sep, '/'))
      const address = FINDS_OWN_PARTS.test(path) ? '__chunkUrl' : `new URL(${place}, __chunkUrl).href`
      return { contents: `const __moduleUrl = ${address};${source}` }
    })
  },
}

/** What `await import` of a CommonJS package answers has the names that Node.js gives it, not only `default`. */
const namedExports = {
  name: 'named-exports',
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === namedExports || isBuiltin(path)) return undefined
      const found = await builder.resolve(path, { kind, resolveDir, pluginData: namedExports })
      if (found.external || found.errors.length > 0) return found
      const names = Object.keys(await import(pathToFileURL(found.path).href))
      // Node.js has this name for CommonJS modules only.
      if (!names.includes('module.exports')) return found
      return { path: found.path, namespace: 'named', pluginData: { names } }
    })
    builder.onLoad({ filter: /./, namespace: 'named' }, ({ path, pluginData }) => {
      const names = pluginData.names.filter(name => name !== 'default' && name !== 'module.exports')
      return {
        contents: `const all=require(${JSON.stringify(path)});export default all;export const{${names}}=all`,
        resolveDir: dirname(path),
      }
    })
  },
}

/**
 * Takes builtin modules as they are. An import statement would make Node.js read all their exports, and some are loaded
 * when they are read: `node:http` brings a whole HTTP client, `node:process` opens standard input.
 */
const plainBuiltins = {
  name: 'plain-builtins',
  setup(builder) {
    builder.onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    )
    builder.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}

const { metafile } = await build({
  entryPoints,
  outdir: LIB,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // As Node.js resolves: what packages have under `module` is for bundlers, and may not run by itself.
  conditions: [],
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
  // Native code stays where it is installed.
  external: ['esbuild', 'msgpackr-extract'],
  define: { 'import.meta.url': '__moduleUrl' },
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const __chunkUrl=import.meta.url;const require=__createRequire(__chunkUrl);",
  },
  plugins: [originalAddresses, plainBuiltins, namedExports],
})

if (SEPARATE) {
  for (const folder of DATA) cpSync(join('packages', folder), join(LIB, folder), { recursive: true })
  if (existsSync(PAGE)) cpSync(PAGE, join(LIB, 'dist/page'), { recursive: true })
  process.exit(0)
}

const { version } = JSON.parse(readFileSync('packages/flink-ts/package.json', 'utf8'))
writeFileSync(
  join(LIB, 'package.json'),
  `${JSON.stringify({ name: 'flink-ts', version, private: true, type: 'module', exports: { '.': './api/index.js' } }, null, 2)}\n`,
)
mkdirSync(join(LIB, 'node_modules'), { recursive: true })
rmSync(join(LIB, 'node_modules/flink-ts'), { force: true })
symlinkSync('..', join(LIB, 'node_modules/flink-ts'), 'junction')

// Its files are found from the chunks as they are from `dist`. Processes that run have theirs in memory.
rmSync(join(LIB, 'dist'), { recursive: true, force: true })
if (existsSync(PAGE)) cpSync(PAGE, join(LIB, 'dist/page'), { recursive: true })

const written = new Set(Object.keys(metafile.outputs).map(path => resolve(path)))
for (const name of readdirSync(join(LIB, 'chunks'))) {
  const path = join(LIB, 'chunks', name)
  if (!written.has(path) && Date.now() - statSync(path).mtimeMs > KEEP_OLD_CHUNKS_MS) rmSync(path)
}
// A build that ran meanwhile is newer.
writeFileSync(STAMP, '')
utimesSync(STAMP, started, started)
