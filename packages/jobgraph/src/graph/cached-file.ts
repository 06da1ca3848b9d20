/** A file or folder that a program has registered for its functions. */
export interface CachedFile {
  /** By which functions ask for it. */
  readonly name: string
  /** Where the client finds it. */
  readonly uri: string
  /** Its files may be executed. */
  readonly executable: boolean
  /** What it consists of, in the blob store. Absent: not uploaded yet. */
  readonly content?: CachedContent
}

/** One file, or the files of a folder by their paths in it, with `/`. Empty folders do not count. */
export type CachedContent =
  | { readonly type: 'file'; readonly blobKey: string }
  | { readonly type: 'folder'; readonly files: Readonly<Record<string, string>> }

/** Blobs of the cached files of a job. */
export function cachedBlobKeys(files: readonly CachedFile[] | undefined): readonly string[] {
  const keys = (files ?? []).flatMap(({ content }) => {
    if (content === undefined) return []
    return content.type === 'file' ? [content.blobKey] : Object.values(content.files)
  })
  return [...new Set(keys)]
}
