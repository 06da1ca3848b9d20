import { createValueSerializer, hashKey } from '@flink-ts/serialization'
import { expect, test } from 'vitest'
import { KeyGroupWriter } from './key-group-writer.ts'

const options = { keyGroupRange: { start: 0, end: 3 }, maxParallelism: 4, compression: 'none' } as const
const serializer = createValueSerializer()
const shown = String

async function written(fill: (writer: KeyGroupWriter) => void): Promise<Buffer> {
  const parts: Buffer[] = []
  let position = 0
  const writer = new KeyGroupWriter(options)
  fill(writer)
  await writer.finish({
    get position() {
      return position
    },
    write: async bytes => {
      position += bytes.length
      parts.push(Buffer.from(bytes))
    },
    close: () => Promise.reject(new Error('not to be closed')),
    discard: async () => {},
  })
  return Buffer.concat(parts)
}

/** Their lengths take one byte, two, three and four. */
const texts = [0, 1, 120, 124, 125, 126, 127, 128, 200, 16_378, 16_384, 70_000, 2_097_200].map(n =>
  'x'.repeat(n),
)
const namespace = Uint8Array.of(0)

test('values that are encoded in place give the bytes of those that were encoded before', async () => {
  const inPlace = await written(writer => {
    for (const [i, text] of texts.entries()) writer.addValue(i, namespace, hashKey(i), i, { text, i }, shown)
    for (const text of texts) writer.addValue(300, namespace, hashKey(text), text, -1.5, shown)
  })
  const before = await written(writer => {
    const add = (state: number, key: unknown, value: unknown): void =>
      writer.add(state, namespace, hashKey(key), serializer.encode(key), serializer.encode(value), () =>
        shown(key),
      )
    for (const [i, text] of texts.entries()) add(i, i, { text, i })
    for (const text of texts) add(300, text, -1.5)
  })
  expect(inPlace.equals(before)).toBe(true)
})

test('a value that cannot be encoded leaves nothing of its entry', async () => {
  const rest = await written(writer => {
    writer.addValue(0, namespace, 0, 'a', 1, shown)
    expect(() => writer.addValue(0, namespace, 0, 'b', { text: texts[8], f: () => 1 }, shown)).toThrow(
      /function/,
    )
    writer.addValue(0, namespace, 0, 'c', 2, shown)
  })
  const without = await written(writer => {
    writer.addValue(0, namespace, 0, 'a', 1, shown)
    writer.addValue(0, namespace, 0, 'c', 2, shown)
  })
  expect(rest.equals(without)).toBe(true)
})

test('a key of another subtask is refused by name', () => {
  const writer = new KeyGroupWriter({ ...options, keyGroupRange: { start: 0, end: 1 } })
  expect(() => writer.addValue(0, namespace, 3, 'far', 1, shown)).toThrow(/far/)
})
