import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BlobCorrupt } from '../errors.ts'
import { BLOB_PART_BYTES } from './blob-access.ts'
import { BlobDigest } from './blob-key.ts'

/**
 * Writes content to `temporaryFile` and moves it to `targetFile` once it is whole, on disk, and has the digest `key`.
 * Whatever goes wrong, no temporary file stays. Throws `rpc.blob-corrupt` with the numbers.
 */
export async function writeVerified(
  key: string,
  parts: AsyncIterable<Uint8Array>,
  targetFile: string,
  options: { readonly temporaryFile?: string; readonly where: string },
): Promise<void> {
  const temporaryFile = options.temporaryFile ?? `${targetFile}.${randomUUID()}.incoming`
  await mkdir(dirname(targetFile), { recursive: true })
  await mkdir(dirname(temporaryFile), { recursive: true })
  try {
    const digest = new BlobDigest()
    const file = await open(temporaryFile, 'wx')
    try {
      for await (const part of parts) {
        digest.update(part)
        await file.writeFile(part)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    const found = digest.key()
    if (found !== key) throw BlobCorrupt({ key, found, sizeBytes: digest.sizeBytes, where: options.where })
    await rename(temporaryFile, targetFile)
  } catch (error) {
    await rm(temporaryFile, { force: true })
    throw error
  }
}

/** Content of a file, or bytes at hand, in parts. */
export async function* partsOf(content: string | Uint8Array): AsyncIterable<Uint8Array> {
  if (typeof content === 'string') {
    yield* createReadStream(content, { highWaterMark: BLOB_PART_BYTES }) as AsyncIterable<Uint8Array>
    return
  }
  for (let at = 0; at < content.length; at += BLOB_PART_BYTES)
    yield content.subarray(at, at + BLOB_PART_BYTES)
}

/** The key of content. */
export async function blobKeyOf(content: string | Uint8Array): Promise<string> {
  const digest = new BlobDigest()
  for await (const part of partsOf(content)) digest.update(part)
  return digest.key()
}
