import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { Configuration, nearest } from '@flink-ts/common'
import type { FileSystem } from './api/file-system.ts'
import type { FileSystemFactory } from './api/file-system-factory.ts'
import { FileSystemNotLoaded, InvalidUri, UnsupportedScheme } from './errors.ts'
import { FILE_SYSTEM_PLUGINS, hdfsSettingsOf, s3SettingsOf } from './filesystem-options.ts'
import { LazyFileSystem } from './lazy-file-system.ts'
import { LocalFileSystem } from './local/local-file-system.ts'
import { schemeOf } from './uri/uri.ts'

type Loader = (scheme: string, configuration: Configuration) => Promise<FileSystem>

const loadS3: Loader = async (scheme, configuration) => {
  const settings = s3SettingsOf(configuration)
  const { createS3FileSystem } = await import('./s3/create-s3-file-system.ts')
  return createS3FileSystem({ scheme, settings })
}

const loadHdfs: Loader = async (scheme, configuration) => {
  const settings = hdfsSettingsOf(configuration)
  const { createHdfsFileSystem } = await import('./hdfs/create-hdfs-file-system.ts')
  return createHdfsFileSystem({ scheme, settings })
}

const LOADERS: ReadonlyMap<string, Loader> = new Map([
  ['s3', loadS3],
  ['s3a', loadS3],
  ['hdfs', loadHdfs],
  ['webhdfs', loadHdfs],
  ['swebhdfs', loadHdfs],
])

/** Those that people use elsewhere: for proposals only. */
const OTHER_SCHEMES = ['http', 'https']

const LOCAL = new LocalFileSystem()

/** New threads of a process get what was set before they started. */
const SETTINGS = 'flink-ts.file-systems'
const KEYS = /^(fs|s3|hdfs)\./

type Settings = Readonly<Record<string, string>>

// Owner: this module, one instance for each thread. Those made of older settings are dropped.
let made: { readonly settings: Settings | undefined; readonly fileSystems: Map<string, FileSystem> } = {
  settings: undefined,
  fileSystems: new Map(),
}

/**
 * Gives the file systems of this process their settings, also in threads that start from now on: `fs.*`, `s3.*`,
 * `hdfs.*`. To be called where a process reads its configuration; the last call counts.
 */
export function configureFileSystems(configuration: Configuration): void {
  const entries = Object.entries(configuration.toRecord()).filter(([key]) => KEYS.test(key))
  const settings: Settings = Object.fromEntries(entries)
  setEnvironmentData(SETTINGS, settings)
}

/**
 * The file system of an absolute URI's scheme. What it needs is loaded by its first call. Throws
 * `filesystem.unsupported-scheme`, and `filesystem.invalid-uri` for plain paths (see {@link toUri}).
 */
export function fileSystemFor(uri: string): FileSystem {
  const scheme = schemeOf(uri)
  if (scheme === undefined) {
    throw InvalidUri({ uri, reason: 'an absolute URI such as file:///folder/name is needed here' })
  }
  if (scheme === 'file') return LOCAL
  const settings = getEnvironmentData(SETTINGS) as Settings | undefined
  if (made.settings !== settings) made = { settings, fileSystems: new Map() }
  const existing = made.fileSystems.get(scheme)
  if (existing !== undefined) return existing
  const configuration = Configuration.of(settings ?? {})
  const plugins = configuration.get(FILE_SYSTEM_PLUGINS)
  const plugin = plugins.get(scheme)
  const load = plugin === undefined ? LOADERS.get(scheme) : loaderOf(plugin)
  if (load === undefined) {
    const known = ['file', ...LOADERS.keys(), ...plugins.keys()]
    const meant = nearest(scheme, [...known, ...OTHER_SCHEMES], 2)
    throw UnsupportedScheme({ uri, scheme, known, meant: meant === scheme ? undefined : meant })
  }
  const fileSystem = new LazyFileSystem({ scheme }, { load: () => load(scheme, configuration) })
  made.fileSystems.set(scheme, fileSystem)
  return fileSystem
}

/** Of a module of `fs.plugins`. Rejects with `filesystem.not-loaded`. */
function loaderOf(name: string): Loader {
  return async (scheme, configuration) => {
    let module: { readonly default?: Partial<FileSystemFactory> }
    try {
      module = (await import(isAbsolute(name) ? pathToFileURL(name).href : name)) as typeof module
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw FileSystemNotLoaded({ scheme, module: name, reason }, error)
    }
    const factory = module.default
    if (typeof factory?.create !== 'function') {
      const reason = 'its default export is no FileSystemFactory: an object with a function create'
      throw FileSystemNotLoaded({ scheme, module: name, reason })
    }
    return factory.create(scheme, configuration)
  }
}
