import { expect, test } from 'vitest'
import { createSourceCodec } from './source-events.ts'

/** What a coordinator has in a snapshot: version 1, with splits that nobody has and those of each subtask. */
const SAMPLE =
  '0d02070776657273696f6e81070573746174650d03070a656e756d657261746f720d0207046e657874870704706174680804612fc3bc070a756e61737369676e65640b010d0207026964070178070466726f6d05000000000000f8bf07046c6f737400'
const STATE = { enumerator: { next: 7, path: 'a/ü' }, unassigned: [{ id: 'x', from: -1.5 }], lost: undefined }

test('the state of coordinators of version 1 is read for ever, and written as it was', () => {
  const codec = createSourceCodec()
  expect(codec.decodeState(Buffer.from(SAMPLE, 'hex'))).toEqual(STATE)
  expect(Buffer.from(codec.encodeState(STATE)).toString('hex')).toBe(SAMPLE)
})
