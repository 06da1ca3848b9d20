import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { VERSION } from '@flink-ts/common'
import {
  BUNDLE_FORMAT,
  type BundleManifest,
  MANIFEST,
  MINIMUM_NODE,
  thisPlatform,
} from './bundle-manifest.ts'
import { checkEntry, compileProgram, PROGRAM_MODULE } from './compile-program.ts'
import { copyNativePackages } from './native-packages.ts'

export interface CreateBundleOptions {
  /** The program: a TypeScript or JavaScript file. */
  readonly entry: string
  /** Where the bundle goes; a new folder under the system's temporary folder if absent, which the caller removes. */
  readonly outFile?: string
  /** An export of the program that is its main, called with the arguments; undefined: the module itself is. */
  readonly entryFunction?: string | undefined
}

export interface CreatedBundle {
  readonly file: string
  /** SHA-256 of the bundle in hex: its key in the blob store. */
  readonly blobKey: string
  readonly manifest: BundleManifest
  /** Folder that the names of sources in stacks are relative to. Not part of the bundle. */
  readonly sourceRoot: string
}

/**
 * Bundles a program with everything it imports, the folder `assets` beside it and packages with native add-ons into
 * one `.tgz`. The same sources give the same bytes. The runtime stays outside. Throws `jobgraph.bundle-failed` with
 * file and line of each problem, `jobgraph.entry-not-exported`.
 */
export async function createBundle(options: CreateBundleOptions): Promise<CreatedBundle> {
  const entry = resolve(options.entry)
  checkEntry(entry)
  const stage = mkdtempSync(join(tmpdir(), 'flink-bundle-'))
  try {
    const root = projectRoot(entry)
    const natives = await compileProgram(entry, root, stage, options.entryFunction)
    copyNativePackages(natives, stage)
    const assets = join(dirname(entry), 'assets')
    if (existsSync(assets)) cpSync(assets, join(stage, 'assets'), { recursive: true, dereference: true })

    const manifest: BundleManifest = {
      format: BUNDLE_FORMAT,
      name: programName(entry, root),
      entry: PROGRAM_MODULE,
      sdkVersion: VERSION,
      node: MINIMUM_NODE,
      ...(natives.size > 0 && {
        native: {
          platform: thisPlatform(),
          abi: process.versions.modules,
          packages: [...natives.keys()].sort(),
        },
      }),
      files: listFiles(stage),
    }
    writeFileSync(join(stage, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`)
    const file = await pack(stage, manifest, resolve(options.outFile ?? join(newTemporaryDir(), 'job.tgz')))
    return { file, blobKey: sha256(readFileSync(file)), manifest, sourceRoot: root }
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

/** The nearest folder with a package.json: sources are named relative to it. */
function projectRoot(entry: string): string {
  for (let dir = dirname(entry); ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json'))) return dir
    if (dirname(dir) === dir) return dirname(entry)
  }
}

function programName(entry: string, root: string): string {
  try {
    const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name?: unknown }
    if (typeof name === 'string' && name !== '') return name
  } catch {
    // No package.json, or a broken one: it only lends the name.
  }
  return basename(entry, extname(entry))
}

function listFiles(stage: string): BundleManifest['files'] {
  const paths = readdirSync(stage, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry =>
      join(entry.parentPath, entry.name)
        .slice(stage.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort()
  return Object.fromEntries(
    paths.map(path => {
      const content = readFileSync(join(stage, path))
      return [path, { sha256: sha256(content), size: content.length }]
    }),
  )
}

/** Written beside the target and renamed, so that a bundle is whole or not there. */
async function pack(stage: string, manifest: BundleManifest, outFile: string): Promise<string> {
  const tar = await import('tar')
  mkdirSync(dirname(outFile), { recursive: true })
  const temporary = `${outFile}.${process.pid}.tmp`
  try {
    await tar.create(
      {
        file: temporary,
        cwd: stage,
        gzip: { level: 9 },
        portable: true,
        mtime: new Date(0),
        noDirRecurse: true,
        // The umask of the machine must not show.
        onWriteEntry: entry => {
          if (entry.stat !== undefined)
            entry.stat.mode = (entry.stat.mode & 0o100) !== 0 ? 0o100755 : 0o100644
        },
      },
      [MANIFEST, ...Object.keys(manifest.files)],
    )
    renameSync(temporary, outFile)
  } finally {
    rmSync(temporary, { force: true })
  }
  return outFile
}

function newTemporaryDir(): string {
  return mkdtempSync(join(tmpdir(), 'flink-job-'))
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
