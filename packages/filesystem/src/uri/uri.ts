import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { InvalidPathPart, InvalidUri } from '../errors.ts'

// One letter before the colon is a drive of Windows, not a scheme.
const SCHEME = /^([a-z][a-z0-9+.-]+):/i

/** The scheme of an absolute URI in lower case, or undefined for a plain path. */
export function schemeOf(uri: string): string | undefined {
  return SCHEME.exec(uri)?.[1]?.toLowerCase()
}

/**
 * What users write as an absolute URI: URIs are checked and normalised, plain paths become `file:` URIs, relative ones
 * from `workingDir`. No slash at the end. Throws `filesystem.invalid-uri`.
 */
export function toUri(pathOrUri: string, workingDir: string = process.cwd()): string {
  if (pathOrUri === '') throw InvalidUri({ uri: pathOrUri, reason: 'it is empty' })
  if (pathOrUri.includes('\0')) throw InvalidUri({ uri: pathOrUri, reason: 'it contains a NUL character' })
  const scheme = schemeOf(pathOrUri)
  // `name:rest` without a slash is a file name with a colon, except for file:, where it is a slip.
  if (scheme === undefined || (scheme !== 'file' && !pathOrUri.startsWith('/', scheme.length + 1))) {
    const path = isAbsolute(pathOrUri) ? resolve(pathOrUri) : resolve(workingDir, pathOrUri)
    return withoutSlash(pathToFileURL(path).href)
  }
  if (!pathOrUri.startsWith('/', scheme.length + 1)) {
    throw InvalidUri({ uri: pathOrUri, reason: 'a file URI is absolute: write file:///folder/name' })
  }
  if (scheme === 'file') return withoutSlash(pathToFileURL(uriToPath(pathOrUri)).href)
  if (!URL.canParse(pathOrUri)) throw InvalidUri({ uri: pathOrUri, reason: 'it is no valid URI' })
  return withoutSlash(new URL(pathOrUri).href)
}

/**
 * `parts` below `base`, each encoded as one name. A part can never lead elsewhere: empty ones, `.`, `..` and
 * separators throw `filesystem.invalid-path-part`.
 */
export function joinUri(base: string, ...parts: readonly string[]): string {
  // Only the root keeps its slash.
  let uri = withoutSlash(base).replace(/\/$/, '')
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..' || /[/\\\0]/.test(part) || !part.isWellFormed()) {
      throw InvalidPathPart({ base, part })
    }
    uri += `/${encodeName(part)}`
  }
  return uri
}

/** One name as a part of a URI. */
export function encodeName(name: string): string {
  return pathToFileURL(`/${name}`, { windows: false }).pathname.slice(1)
}

/** The local path of a `file:` URI. Throws `filesystem.invalid-uri` for anything else. */
export function uriToPath(uri: string): string {
  if (schemeOf(uri) !== 'file') throw InvalidUri({ uri, reason: 'a file: URI is needed here' })
  if (!URL.canParse(uri)) throw InvalidUri({ uri, reason: 'it is no valid URI' })
  const url = new URL(uri)
  if (url.host !== '') {
    throw InvalidUri({
      uri,
      reason: `'${url.host}' stands where a host would: write file:/// with three slashes`,
    })
  }
  if (url.hash !== '' || url.search !== '') {
    throw InvalidUri({ uri, reason: "write '#' as %23 and '?' as %3F, or give a plain path" })
  }
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw InvalidUri({ uri, reason: error instanceof Error ? error.message : String(error) }, error)
  }
}

function withoutSlash(uri: string): string {
  // The slashes after the scheme stay: `file:///` is the root.
  let end = uri.length
  while (end > 0 && uri[end - 1] === '/' && !/^[a-z][a-z0-9+.-]*:\/{0,3}$/i.test(uri.slice(0, end))) end--
  return uri.slice(0, end)
}
