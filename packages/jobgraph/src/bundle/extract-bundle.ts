import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ReadEntry } from 'tar'
import { BundleInvalid } from '../errors.ts'
import { type BundleManifest, MANIFEST, parseManifest } from './bundle-manifest.ts'
import { RUNTIME_MODULES } from './runtime-modules.ts'

export interface ExtractBundleOptions {
  /** Folders of the one runtime of this process, by module name: see {@link findRuntimeModuleDirs}. */
  readonly runtimeModuleDirs: Readonly<Record<string, string>>
  /** Limits against archives made to fill the disk. */
  readonly maxTotalBytes?: number
  readonly maxFiles?: number
}

export interface ExtractedBundle {
  /** The module to evaluate. */
  readonly moduleUrl: string
  readonly manifest: BundleManifest
}

/**
 * Unpacks a bundle into `targetDir`, which appears complete or not at all: several threads and processes may do so at
 * the same time, and a folder that is there already is used as it is. Takes only plain files and folders with
 * relative paths, within the limits, with the digests of the manifest. Throws `jobgraph.bundle-invalid` or
 * `jobgraph.bundle-incompatible`.
 */
export async function extractBundle(
  file: string,
  targetDir: string,
  options: ExtractBundleOptions,
): Promise<ExtractedBundle> {
  const target = resolve(targetDir)
  if (existsSync(join(target, MANIFEST))) return opened(target, file)
  const temporary = `${target}.${randomUUID()}.tmp`
  mkdirSync(temporary, { recursive: true })
  try {
    await unpack(file, temporary, options)
    const manifest = readManifest(temporary, file)
    verifyFiles(temporary, manifest, file)
    linkRuntime(temporary, options.runtimeModuleDirs)
    moveIntoPlace(temporary, target)
    return opened(target, file)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function opened(target: string, file: string): ExtractedBundle {
  const manifest = readManifest(target, file)
  return { moduleUrl: pathToFileURL(join(target, manifest.entry)).href, manifest }
}

function readManifest(dir: string, file: string): BundleManifest {
  const path = join(dir, MANIFEST)
  if (!existsSync(path)) throw BundleInvalid({ file, reason: `it has no ${MANIFEST}` })
  return parseManifest(readFileSync(path, 'utf8'), file)
}

async function unpack(file: string, dir: string, options: ExtractBundleOptions): Promise<void> {
  const maxTotalBytes = options.maxTotalBytes ?? 2 ** 30
  const maxFiles = options.maxFiles ?? 50_000
  let files = 0
  let bytes = 0
  let problem: string | undefined
  const seen = new Set<string>()
  const examine = (path: string, entry: ReadEntry): boolean => {
    problem ??= pathProblem(path) ?? typeProblem(path, entry.type)
    // Two files of one name, also where case does not count: the second would replace the verified first.
    const same = path.toLowerCase().replace(/\/$/, '')
    if (entry.type !== 'Directory' && seen.has(same)) problem ??= `it has ${path} twice`
    seen.add(same)
    bytes += entry.size
    if (++files > maxFiles) problem ??= `it has more than ${maxFiles} files`
    if (bytes > maxTotalBytes) problem ??= `unpacked it has more than ${maxTotalBytes} bytes`
    return problem === undefined
  }
  const tar = await import('tar')
  try {
    await tar.extract({
      file,
      cwd: dir,
      strict: true,
      preserveOwner: false,
      noMtime: true,
      filter: (path, entry) => examine(path, entry as ReadEntry),
    })
  } catch (error) {
    problem ??= error instanceof Error ? error.message : String(error)
    throw BundleInvalid({ file, reason: problem }, error)
  }
  if (problem !== undefined) throw BundleInvalid({ file, reason: problem })
}

function pathProblem(path: string): string | undefined {
  const parts = path.split('/')
  const harmless = /^[^/\\:\0]+$/
  const bad = (part: string, index: number): boolean =>
    part === '..' || part === '.' || (!harmless.test(part) && !(part === '' && index === parts.length - 1))
  if (parts.some(bad)) return `it has a file with the path '${path}'`
  const [first, second] = parts
  const ofRuntime = first === 'node_modules' && RUNTIME_MODULES.some(name => name === second)
  return ofRuntime ? `it brings its own ${path}, which belongs to the cluster` : undefined
}

function typeProblem(path: string, type: string): string | undefined {
  if (type === 'File' || type === 'OldFile' || type === 'Directory') return undefined
  return `${path} is a ${type}, and only files and folders are allowed`
}

function verifyFiles(dir: string, manifest: BundleManifest, file: string): void {
  const present = new Set(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter(entry => !entry.isDirectory())
      .map(entry =>
        join(entry.parentPath, entry.name)
          .slice(dir.length + 1)
          .replaceAll('\\', '/'),
      ),
  )
  present.delete(MANIFEST)
  for (const [path, { sha256, size }] of Object.entries(manifest.files)) {
    if (!present.delete(path)) throw BundleInvalid({ file, reason: `its file ${path} is missing` })
    const content = readFileSync(join(dir, path))
    if (content.length !== size || createHash('sha256').update(content).digest('hex') !== sha256) {
      throw BundleInvalid({ file, reason: `its file ${path} does not have the digest of the manifest` })
    }
  }
  for (const extra of present)
    throw BundleInvalid({ file, reason: `its file ${extra} is not in the manifest` })
}

function linkRuntime(dir: string, runtimeModuleDirs: Readonly<Record<string, string>>): void {
  for (const [name, path] of Object.entries(runtimeModuleDirs)) {
    const link = join(dir, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(resolve(path), link, 'junction')
  }
}

function moveIntoPlace(temporary: string, target: string): void {
  try {
    renameSync(temporary, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const taken = code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM'
    // Somebody else was faster: what is there has the same content, and appeared complete.
    if (!taken || !existsSync(join(target, MANIFEST))) throw error
  }
}
