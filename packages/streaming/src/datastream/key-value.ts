/** What a key may be: compared by value. Anything else is an error, at the latest at the first record. */
export type KeyValue = KeyElement | readonly KeyElement[] | { readonly [field: string]: KeyElement }
type KeyElement = string | number | boolean | bigint | Date
