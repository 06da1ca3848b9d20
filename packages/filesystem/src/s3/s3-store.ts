import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { FileIoFailed } from '../errors.ts'
import { s3FailureOf, toS3Error } from './s3-errors.ts'
import type { S3Location } from './s3-location.ts'

/** Copies in one request must not be larger. */
const LARGEST_COPY_BYTES = 5 * 2 ** 30
const COPY_PART_BYTES = 2 ** 30
/** A conflict of writers at the same time is over soon. */
const CONFLICT_ATTEMPTS = 5
const RETRY_DELAY_MS = 100
/** In the metadata of objects: tells a write that was repeated from that of somebody else. */
const WRITE_ID = 'flink-write-id'

/** What a call is for, as messages say it. */
export interface S3Purpose {
  readonly uri: string
  readonly operation: string
}

export interface S3Object {
  readonly sizeBytes: number
  readonly etag: string | undefined
  readonly modifiedAt: number
  readonly writeId: string | undefined
}

export interface S3Page {
  readonly objects: readonly {
    readonly key: string
    readonly sizeBytes: number
    readonly modifiedAt: number
  }[]
  /** With `/` at the end. */
  readonly folders: readonly string[]
}

/** An upload in parts that is neither completed nor aborted. */
export interface S3UploadId {
  readonly location: S3Location
  readonly id: string
  /** In the metadata of what comes of it; undefined: not known, since somebody else began it. */
  readonly writeId?: string
}

/** Requests to one store, their errors turned into those of file systems. Without state of its own. */
export class S3Store {
  readonly #endpoint: string
  readonly #attempts: number
  readonly #client: S3Client

  constructor(
    options: { readonly endpoint: string; readonly attempts: number },
    dependencies: { readonly client: S3Client },
  ) {
    this.#endpoint = options.endpoint
    this.#attempts = options.attempts
    this.#client = dependencies.client
  }

  /** @param mode create: rejects with `filesystem.already-exists` if there is an object already */
  put(to: S3Location, body: Uint8Array, mode: 'create' | 'overwrite', purpose: S3Purpose): Promise<void> {
    const writeId = randomUUID()
    return this.#run(to, purpose, () =>
      this.#once(to, writeId, purpose, async () => {
        await this.#client.send(
          new PutObjectCommand({
            ...names(to),
            Body: body,
            ContentLength: body.length,
            ...(mode === 'create' && { IfNoneMatch: '*', Metadata: { [WRITE_ID]: writeId } }),
          }),
        )
      }),
    )
  }

  head(of: S3Location, purpose: S3Purpose): Promise<S3Object | undefined> {
    return this.#run(of, purpose, async () => {
      try {
        const found = await this.#client.send(new HeadObjectCommand(names(of)))
        return {
          sizeBytes: found.ContentLength ?? 0,
          etag: found.ETag,
          modifiedAt: found.LastModified?.getTime() ?? 0,
          writeId: found.Metadata?.[WRITE_ID],
        }
      } catch (error) {
        if (s3FailureOf(error)?.status === 404) return undefined
        throw error
      }
    })
  }

  /** The whole object. */
  async get(from: S3Location, purpose: S3Purpose): Promise<Buffer> {
    return this.#read(from, undefined, undefined, purpose)
  }

  /** Bytes `[start, end)` of an object that has them all; `etag`: only of that content. */
  getRange(
    from: S3Location,
    range: { readonly start: number; readonly end: number },
    etag: string | undefined,
    purpose: S3Purpose,
  ): Promise<Buffer> {
    return this.#read(from, range, etag, purpose)
  }

  /** All below a prefix; with a delimiter only what is directly there. Page by page, in the order of UTF-8 keys. */
  async *list(
    bucket: string,
    prefix: string,
    options: { readonly delimiter?: '/'; readonly most?: number },
    purpose: S3Purpose,
  ): AsyncGenerator<S3Page> {
    let token: string | undefined
    do {
      const page = await this.#run({ bucket, key: prefix }, purpose, () =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            Delimiter: options.delimiter,
            MaxKeys: options.most,
            ContinuationToken: token,
          }),
        ),
      )
      yield {
        objects: (page.Contents ?? []).map(({ Key = '', Size = 0, LastModified }) => ({
          key: Key,
          sizeBytes: Size,
          modifiedAt: LastModified?.getTime() ?? 0,
        })),
        folders: (page.CommonPrefixes ?? []).flatMap(({ Prefix }) => (Prefix === undefined ? [] : [Prefix])),
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async delete(location: S3Location, purpose: S3Purpose): Promise<void> {
    await this.#run(location, purpose, () => this.#client.send(new DeleteObjectCommand(names(location))))
  }

  /** At most 1,000 at once. */
  async deleteAll(bucket: string, keys: readonly string[], purpose: S3Purpose): Promise<void> {
    const Objects = keys.map(Key => ({ Key }))
    const { Errors = [] } = await this.#run({ bucket, key: '' }, purpose, () =>
      this.#client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } })),
    )
    const first = Errors.find(({ Code }) => Code !== 'NoSuchKey')
    if (first === undefined) return
    const error = Object.assign(new Error(`${first.Key}: ${first.Message ?? first.Code}`), {
      Code: first.Code,
    })
    await this.#run({ bucket, key: '' }, purpose, () => Promise.reject(error))
  }

  async copy(from: S3Location, to: S3Location, sizeBytes: number, purpose: S3Purpose): Promise<void> {
    const CopySource = `${from.bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}`
    if (sizeBytes < LARGEST_COPY_BYTES) {
      await this.#run(to, purpose, () =>
        this.#client.send(new CopyObjectCommand({ ...names(to), CopySource })),
      )
      return
    }
    const upload = await this.begin(to, purpose)
    try {
      const parts: string[] = []
      for (let start = 0; start < sizeBytes; start += COPY_PART_BYTES) {
        const end = Math.min(sizeBytes, start + COPY_PART_BYTES)
        const command = new UploadPartCopyCommand({
          ...names(to),
          UploadId: upload.id,
          PartNumber: parts.length + 1,
          CopySource,
          CopySourceRange: `bytes=${start}-${end - 1}`,
        })
        const copied = await this.#run(to, purpose, () => this.#client.send(command))
        parts.push(copied.CopyPartResult?.ETag ?? '')
      }
      await this.complete(upload, parts, 'overwrite', purpose)
    } catch (error) {
      // The first error says what went wrong; uploads that stay are removed with their folder.
      await this.abort(upload, purpose).catch(() => undefined)
      throw error
    }
  }

  /** Begins an upload in parts. */
  begin(to: S3Location, purpose: S3Purpose): Promise<S3UploadId> {
    const writeId = randomUUID()
    return this.#run(to, purpose, async () => {
      const { UploadId } = await this.#client.send(
        new CreateMultipartUploadCommand({ ...names(to), Metadata: { [WRITE_ID]: writeId } }),
      )
      if (UploadId === undefined) throw new Error('the store gave the upload no id')
      return { location: to, id: UploadId, writeId }
    })
  }

  /** @param number from 1 to 10,000 @returns its ETag */
  uploadPart(upload: S3UploadId, number: number, body: Uint8Array, purpose: S3Purpose): Promise<string> {
    return this.#run(upload.location, purpose, async () => {
      const { ETag } = await this.#client.send(
        new UploadPartCommand({
          ...names(upload.location),
          UploadId: upload.id,
          PartNumber: number,
          Body: body,
          ContentLength: body.length,
        }),
      )
      if (ETag === undefined) throw new Error(`the store gave part ${number} no ETag`)
      return ETag
    })
  }

  /** Makes the object. @returns false if there is no such upload (any more) */
  complete(
    upload: S3UploadId,
    etags: readonly string[],
    mode: 'create' | 'overwrite',
    purpose: S3Purpose,
  ): Promise<boolean> {
    const { location, id, writeId } = upload
    const MultipartUpload = { Parts: etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 })) }
    return this.#run(location, purpose, async () => {
      try {
        await this.#once(location, writeId, purpose, async () => {
          await this.#client.send(
            new CompleteMultipartUploadCommand({
              ...names(location),
              UploadId: id,
              MultipartUpload,
              ...(mode === 'create' && { IfNoneMatch: '*' }),
            }),
          )
        })
        return true
      } catch (error) {
        const failure = s3FailureOf(error)
        if (failure?.code === 'NoSuchUpload') return false
        throw error
      }
    })
  }

  /** Idempotent. */
  abort(upload: S3UploadId, purpose: S3Purpose): Promise<void> {
    return this.#run(upload.location, purpose, async () => {
      try {
        await this.#client.send(
          new AbortMultipartUploadCommand({ ...names(upload.location), UploadId: upload.id }),
        )
      } catch (error) {
        if (s3FailureOf(error)?.code !== 'NoSuchUpload') throw error
      }
    })
  }

  /** Uploads under way to keys with a prefix; none where the store does not tell, or not us. */
  async uploads(bucket: string, prefix: string, purpose: S3Purpose): Promise<readonly S3UploadId[]> {
    const found: S3UploadId[] = []
    let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
    while (marker !== undefined) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: bucket,
        Prefix: prefix,
        ...marker,
      })
      try {
        const page = await this.#client.send(command)
        for (const { Key, UploadId } of page.Uploads ?? []) {
          if (Key === undefined || UploadId === undefined || !Key.startsWith(prefix)) continue
          found.push({ location: { bucket, key: Key }, id: UploadId })
        }
        const { NextKeyMarker, NextUploadIdMarker } = page
        const more = page.IsTruncated === true && (NextKeyMarker ?? '') !== ''
        marker = more
          ? { KeyMarker: NextKeyMarker as string, UploadIdMarker: NextUploadIdMarker ?? '' }
          : undefined
      } catch (error) {
        const status = s3FailureOf(error)?.status
        // A right of its own, and not every store has it: what it is needed for is only cleaning up.
        if (status === 403 || status === 405 || status === 501) return found
        return await this.#run({ bucket, key: prefix }, purpose, () => Promise.reject(error as Error))
      }
    }
    return found
  }

  async #read(
    from: S3Location,
    range: { readonly start: number; readonly end: number } | undefined,
    etag: string | undefined,
    purpose: S3Purpose,
  ): Promise<Buffer> {
    const chunks: Buffer[] = []
    let received = 0
    let expected = range === undefined ? undefined : range.end - range.start
    let content = etag
    for (let attempt = 1; ; attempt++) {
      const start = (range?.start ?? 0) + received
      const command = new GetObjectCommand({
        ...names(from),
        ...((range !== undefined || received > 0) && {
          Range: `bytes=${start}-${range === undefined ? '' : range.end - 1}`,
        }),
        ...(content !== undefined && { IfMatch: content }),
      })
      // The client tries again until there is an answer; what breaks off in the middle of it, we do.
      const answer = await this.#run(from, purpose, async () => {
        try {
          return await this.#client.send(command)
        } catch (error) {
          if (s3FailureOf(error)?.status !== 412) throw error
          throw broken(purpose, 'it was changed while it was read', error)
        }
      })
      content = answer.ETag
      expected ??= answer.ContentLength
      let failure: unknown
      try {
        for await (const chunk of answer.Body as AsyncIterable<Uint8Array>) {
          chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
          received += chunk.byteLength
        }
      } catch (error) {
        failure = error
      }
      if (failure === undefined && (expected === undefined || received === expected)) {
        return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
      }
      if (attempt >= this.#attempts || (expected !== undefined && received > expected)) {
        const why = failure instanceof Error ? `: ${failure.message}` : ''
        const reason = `the answer ended after ${received} of ${expected ?? 'unknown'} bytes${why}`
        throw broken(purpose, reason, failure)
      }
      if (expected !== undefined && received === expected) return Buffer.concat(chunks)
      await delay(RETRY_DELAY_MS * 2 ** attempt)
    }
  }

  /**
   * Does a conditional write. If an answer got lost, the client repeats the request, and the condition then fails by
   * our own write.
   */
  async #once(
    to: S3Location,
    writeId: string | undefined,
    purpose: S3Purpose,
    write: () => Promise<void>,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await write()
        return
      } catch (error) {
        const failure = s3FailureOf(error)
        if (failure?.status === 409 && attempt < CONFLICT_ATTEMPTS) {
          await delay(RETRY_DELAY_MS * attempt)
          continue
        }
        // An upload that is not there any more may have been completed by the request before.
        const repeated = failure !== undefined && (failure.attempts > 1 || attempt > 1)
        const ambiguous = failure?.status === 412 || failure?.code === 'NoSuchUpload'
        if (repeated && ambiguous && writeId !== undefined) {
          if ((await this.head(to, purpose))?.writeId === writeId) return
        }
        throw error
      }
    }
  }

  async #run<T>(at: S3Location, purpose: S3Purpose, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw toS3Error(error, { ...purpose, bucket: at.bucket, endpoint: this.#endpoint })
    }
  }
}

function names({ bucket, key }: S3Location): { Bucket: string; Key: string } {
  return { Bucket: bucket, Key: key }
}

function broken({ uri, operation }: S3Purpose, reason: string, cause: unknown): Error {
  return FileIoFailed({ uri, operation, reason, hint: 'Check the store and what else writes there.' }, cause)
}
