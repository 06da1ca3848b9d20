import { VERSION } from '@flink-ts/common'
import { BundleIncompatible, BundleInvalid } from '../errors.ts'

/** Version of the layout of bundles that this release writes and reads. */
export const BUNDLE_FORMAT = 1
/** Oldest Node.js that runs a bundle of this release. */
export const MINIMUM_NODE = '24.8.0'
/** Name of the manifest, the first file of the archive. */
export const MANIFEST = 'manifest.json'

/** The first file of a bundle: what is in it and where it runs. */
export interface BundleManifest {
  readonly format: typeof BUNDLE_FORMAT
  /** Shown to users: the program's package name, else the name of its file. */
  readonly name: string
  /** Path of the module to evaluate. */
  readonly entry: string
  /** Version of flink-ts that made the bundle. */
  readonly sdkVersion: string
  /** Oldest Node.js that runs it. */
  readonly node: string
  /** Of bundles with native add-ons: where these run. */
  readonly native?: { readonly platform: string; readonly abi: string; readonly packages: readonly string[] }
  /** All other files by path, with `/`. */
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly size: number }>>
}

/** `process.platform` and architecture of this machine. */
export function thisPlatform(): string {
  return `${process.platform}-${process.arch}`
}

/**
 * Reads and checks a manifest. Throws `jobgraph.bundle-invalid` if it is none, `jobgraph.bundle-incompatible` if the
 * bundle is for another version, Node.js or platform; the message says which of them to change.
 * @param file named in messages
 */
export function parseManifest(text: string, file: string): BundleManifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw BundleInvalid({ file, reason: `its ${MANIFEST} is not JSON (${(error as Error).message})` }, error)
  }
  const manifest = value as Partial<BundleManifest> | null
  if (manifest === null || typeof manifest !== 'object' || typeof manifest.format !== 'number') {
    throw BundleInvalid({ file, reason: `its ${MANIFEST} has no format number` })
  }
  checkFormat(manifest, file)
  for (const key of ['name', 'entry', 'sdkVersion', 'node'] as const) {
    if (typeof manifest[key] !== 'string')
      throw BundleInvalid({ file, reason: `its ${MANIFEST} has no ${key}` })
  }
  checkFiles(manifest, file)
  checkVersions(manifest as BundleManifest, file)
  return manifest as BundleManifest
}

function checkFormat(manifest: Partial<BundleManifest>, file: string): void {
  const format = Number(manifest.format)
  if (format === BUNDLE_FORMAT) return
  const by = `it has bundle format ${format} (flink-ts ${manifest.sdkVersion ?? 'of unknown version'} made it)`
  const reason = `${by}, and flink-ts ${VERSION} reads format ${BUNDLE_FORMAT}`
  const remedy =
    format > BUNDLE_FORMAT
      ? 'Upgrade the cluster, or make the bundle again with the version of the cluster.'
      : `Make the bundle again with flink-ts ${VERSION}.`
  throw BundleIncompatible({ file, reason, remedy })
}

function checkFiles(manifest: Partial<BundleManifest>, file: string): void {
  const { files } = manifest
  if (files === null || typeof files !== 'object')
    throw BundleInvalid({ file, reason: `its ${MANIFEST} has no files` })
  for (const [path, entry] of Object.entries(files)) {
    if (!/^[0-9a-f]{64}$/.test(String(entry?.sha256)) || !Number.isSafeInteger(entry?.size)) {
      throw BundleInvalid({ file, reason: `its ${MANIFEST} has no digest and size for ${path}` })
    }
  }
  if (!Object.hasOwn(files, manifest.entry as string)) {
    throw BundleInvalid({ file, reason: `its entry ${manifest.entry} is not among its files` })
  }
}

function checkVersions(manifest: BundleManifest, file: string): void {
  const here = VERSION
  const [made, running] = [numbers(manifest.sdkVersion), numbers(here)]
  // Below 1.0 a minor version may break; from then on only a major one.
  const sameLine = made[0] === running[0] && (made[0] !== 0 || made[1] === running[1])
  if (!sameLine || compare(made, running) > 0) {
    const newer = compare(made, running) > 0
    throw BundleIncompatible({
      file,
      reason: `it was made with flink-ts ${manifest.sdkVersion}, and this is flink-ts ${here}`,
      remedy: newer
        ? `Upgrade the cluster to ${manifest.sdkVersion}, or make the bundle again with flink-ts ${here}.`
        : `Make the bundle again with flink-ts ${here}.`,
    })
  }
  const { node } = process.versions
  if (compare(numbers(node), numbers(manifest.node)) < 0) {
    const reason = `it needs Node.js ${manifest.node}, and this is ${node}`
    throw BundleIncompatible({ file, reason, remedy: `Upgrade Node.js to ${manifest.node} or newer.` })
  }
  const { native } = manifest
  if (
    native !== undefined &&
    (native.platform !== thisPlatform() || native.abi !== process.versions.modules)
  ) {
    throw BundleIncompatible({
      file,
      reason:
        `its native packages (${native.packages.join(', ')}) are for ${native.platform} with ABI ${native.abi}, ` +
        `and this is ${thisPlatform()} with ABI ${process.versions.modules}`,
      remedy: 'Make the bundle on a machine of the same platform with the same major version of Node.js.',
    })
  }
}

function numbers(version: string): number[] {
  return version.split(/[.+-]/).slice(0, 3).map(Number)
}

function compare(a: number[], b: number[]): number {
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
