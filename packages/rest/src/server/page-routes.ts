import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

interface PageFile {
  readonly type: string
  readonly etag: string
  readonly plain: Buffer
  readonly compressed: Buffer
  /** Its name changes with its content. */
  readonly immutable: boolean
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

const ONE_YEAR_SECONDS = 31_536_000

/** Nothing but what this server has; shown in no other page. */
const SECURITY = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/**
 * Serves the web page: `index.html` at `/`, its assets below. The files are read once, before anything is served: a
 * name is looked up, never joined to a path, and a build that runs meanwhile changes nothing. They demand no token:
 * they hold nothing of the cluster, and the page is what asks for the token. A folder without `index.html` adds nothing.
 */
export async function addPageRoutes(app: FastifyInstance, folder: string): Promise<void> {
  const files = await readPage(folder)
  const index = files.get('index.html')
  if (index === undefined) return
  const paths: readonly (readonly [string, PageFile])[] = [
    ['/', index],
    ...[...files].map(([name, file]) => [`/${name}`, file] as const),
  ]
  for (const [path, file] of paths) {
    app.get(path, { config: { isPublic: true } }, async (request, reply) => {
      reply.headers({
        ...SECURITY,
        etag: file.etag,
        vary: 'accept-encoding',
        'cache-control': file.immutable ? `public, max-age=${ONE_YEAR_SECONDS}, immutable` : 'no-cache',
      })
      if (request.headers['if-none-match'] === file.etag) return await reply.code(304).send()
      const compress = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
      if (compress) reply.header('content-encoding', 'gzip')
      return await reply.type(file.type).send(compress ? file.compressed : file.plain)
    })
  }
}

async function readPage(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  let entries: Awaited<ReturnType<typeof list>>
  try {
    entries = await list(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw error
  }
  const known = entries.filter(entry => entry.isFile() && extname(entry.name) in TYPES)
  return new Map(
    await Promise.all(
      known.map(async entry => {
        const path = join(entry.parentPath, entry.name)
        const name = relative(folder, path).replaceAll(sep, '/')
        return [name, await pageFile(name, await readFile(path))] as const
      }),
    ),
  )
}

function list(folder: string) {
  return readdir(folder, { recursive: true, withFileTypes: true })
}

async function pageFile(name: string, plain: Buffer): Promise<PageFile> {
  return {
    type: TYPES[extname(name)] as string,
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    plain,
    compressed: await promisify(gzip)(plain),
    immutable: name.startsWith('assets/'),
  }
}
