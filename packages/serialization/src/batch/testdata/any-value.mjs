import fc from 'fast-check'

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud800', 'é', '漢字😀', '\0'))

/** Any value that the serializers promise to keep, nasty ones often. */
export const anyValue = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
    withObjectString: false,
    values: [
      text,
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.bigInt(),
      fc.constantFrom(undefined, null, -0, Number.NaN, Infinity, new Date(Number.NaN)),
    ],
    key: fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'a b', "'", '\u2028')),
  }),
  text,
  fc.double(),
)

/** Whether two values are the same to the last bit: as Object.is, but deep; prototypes, holes and order of fields count. */
export function same(a, b) {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Date) return Object.is(a.getTime(), b.getTime())
  if (a instanceof RegExp) return String(a) === String(b)
  if (a instanceof Map || a instanceof Set) return same([...a], [...b])
  if (a instanceof ArrayBuffer) return same(new Uint8Array(a), new Uint8Array(b))
  if (ArrayBuffer.isView(a)) {
    const [x, y] = [a, b].map(view => Buffer.from(view.buffer, view.byteOffset, view.byteLength))
    return x.equals(y)
  }
  const names = Object.keys(a)
  const others = Object.keys(b)
  if (names.length !== others.length || names.some((name, i) => name !== others[i])) return false
  if (Array.isArray(a) && a.length !== b.length) return false
  return names.every(name => same(a[name], b[name]))
}
