import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FileStatus, fileSystemFor, schemeOf, uriToPath } from '@flink-ts/filesystem'
import type { CachedContent, CachedFile, JobGraph } from '@flink-ts/jobgraph'
import { CachedFileNotFound } from '../errors.ts'

const PART_BYTES = 2 ** 20

/** Puts the file at a local path into the blob store and answers its key. */
type PutFile = (path: string) => Promise<string>

/**
 * Copies the files and folders that a program has registered into the blob store of the cluster, from whatever storage,
 * and answers the graph with their keys. What is there already is not sent again. Throws `client.cached-file-not-found`
 * and errors of the file system.
 */
export async function withUploadedFiles(graph: JobGraph, put: PutFile): Promise<JobGraph> {
  const { cachedFiles } = graph
  if (cachedFiles === undefined || cachedFiles.length === 0) return graph
  const uploaded: CachedFile[] = []
  for (const file of cachedFiles) {
    uploaded.push({ ...file, content: file.content ?? (await upload(file, put)) })
  }
  return { ...graph, cachedFiles: uploaded }
}

async function upload({ name, uri }: CachedFile, put: PutFile): Promise<CachedContent> {
  const status = await fileSystemFor(uri).status(uri)
  if (status === undefined) throw CachedFileNotFound({ name, uri })
  if (!status.isDirectory) return { type: 'file', blobKey: await uploadFile(uri, put) }
  const files: Record<string, string> = {}
  for await (const { uri: child } of filesBelow(status)) {
    const path = decodeURIComponent(child.slice(status.uri.replace(/\/$/, '').length + 1))
    files[path] = await uploadFile(child, put)
  }
  return { type: 'folder', files }
}

async function* filesBelow(folder: FileStatus): AsyncIterable<FileStatus> {
  for (const child of await fileSystemFor(folder.uri).list(folder.uri)) {
    if (child.isDirectory) yield* filesBelow(child)
    else yield child
  }
}

async function uploadFile(uri: string, put: PutFile): Promise<string> {
  if (schemeOf(uri) === 'file') return await put(uriToPath(uri))
  const folder = await mkdtemp(join(tmpdir(), 'flink-cached-file-'))
  try {
    const path = join(folder, 'content')
    await download(uri, path)
    return await put(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function download(uri: string, path: string): Promise<void> {
  const input = await fileSystemFor(uri).open(uri)
  try {
    const target = await open(path, 'wx')
    try {
      for (let at = 0; at < input.sizeBytes; ) {
        const part = await input.read(at, PART_BYTES)
        if (part.length === 0) break
        await target.writeFile(part)
        at += part.length
      }
    } finally {
      await target.close()
    }
  } finally {
    await input.close()
  }
}
