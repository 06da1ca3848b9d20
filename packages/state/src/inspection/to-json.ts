import { types } from 'node:util'

/**
 * A value of state as JSON can say it: Dates as ISO text, bigints as `{"$bigint":"…"}`, Maps as `{"$map":[[key, value]]}`,
 * Sets as `{"$set":[…]}`, bytes as `{"$bytes":"base64"}`, numbers without a JSON form as `{"$number":"NaN"}`, undefined as
 * null.
 */
export function toJson(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return { $bigint: String(value) }
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) }
    case 'undefined':
      return null
    case 'object':
      return value === null ? null : objectToJson(value)
    default:
      return value
  }
}

function objectToJson(value: object): unknown {
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? { $date: 'invalid' } : value.toISOString()
  if (Array.isArray(value)) return Array.from(value, toJson)
  if (types.isMap(value)) return { $map: Array.from(value, ([key, item]) => [toJson(key), toJson(item)]) }
  if (types.isSet(value)) return { $set: Array.from(value, toJson) }
  if (ArrayBuffer.isView(value)) {
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  }
  if (types.isArrayBuffer(value)) return { $bytes: Buffer.from(value).toString('base64') }
  if (value instanceof Error) return { $error: value.message }
  if (value instanceof RegExp) return { $regexp: String(value) }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toJson(field)]))
}
