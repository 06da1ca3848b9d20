import { InvalidUri } from '../errors.ts'
import { encodeName } from '../uri/uri.ts'

/** An object, or the prefix of several. */
export interface S3Location {
  readonly bucket: string
  /** Without slashes at its ends; empty: the bucket itself. */
  readonly key: string
}

/** Bucket and key of `s3://bucket/key`. Throws `filesystem.invalid-uri`. */
export function locationOf(uri: string): S3Location {
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(\/[^?#]*)?$/i.exec(uri)
  if (match === null) {
    throw InvalidUri({
      uri,
      reason: "it is not s3://bucket/key ('#' is written %23 there and '?' is written %3F)",
    })
  }
  const [, bucket = '', path = ''] = match
  if (!/^[a-z0-9][a-z0-9._-]+$/i.test(bucket)) {
    throw InvalidUri({
      uri,
      reason: `'${bucket}' stands where the name of the bucket should: s3://bucket/key`,
    })
  }
  try {
    return { bucket, key: decodeURIComponent(path).replace(/^\/+|\/+$/g, '') }
  } catch (error) {
    throw InvalidUri({ uri, reason: "a '%' in it is not followed by two digits: write %25" }, error)
  }
}

/** The URI of a name below the URI of a folder, encoded as `joinUri` does. */
export function childUri(folderUri: string, name: string): string {
  return `${folderUri.replace(/\/+$/, '')}/${encodeName(name)}`
}
