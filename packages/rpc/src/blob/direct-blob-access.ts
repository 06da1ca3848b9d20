import { BlobsNotServed } from '../errors.ts'
import type { BlobAccess, BlobStore } from './blob-access.ts'
import { blobKeyOf, partsOf, writeVerified } from './blob-file.ts'
import { checkedBlobKey } from './blob-key.ts'

/** Blobs of processes that share this one's memory. */
export class DirectBlobAccess implements BlobAccess {
  readonly #storeAt: (address: string) => BlobStore | undefined

  /** @param storeAt the store that an address serves; throws if nothing can be reached there */
  constructor(storeAt: (address: string) => BlobStore | undefined) {
    this.#storeAt = storeAt
  }

  async put(address: string, content: string | Uint8Array): Promise<string> {
    const key = await blobKeyOf(content)
    const store = this.#store(address)
    if (!(await store.has(key))) await store.put(key, partsOf(content))
    return key
  }

  async has(address: string, key: string): Promise<boolean> {
    return this.#store(address).has(checkedBlobKey(key))
  }

  async get(address: string, key: string, targetFile: string): Promise<void> {
    const parts = this.#store(address).read(checkedBlobKey(key))
    await writeVerified(key, parts, targetFile, { where: `received from ${address}` })
  }

  #store(address: string): BlobStore {
    const store = this.#storeAt(address)
    if (store === undefined) throw BlobsNotServed({ address })
    return store
  }
}
