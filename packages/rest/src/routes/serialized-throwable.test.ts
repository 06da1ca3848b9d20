import { expect, it } from 'vitest'
import { failureCause } from './serialized-throwable.ts'

// Java 17 with the classes of Flink 1.20.5 read this as an error with this message, stack and class.
const READ_BY_JAVA =
  'rO0ABXNyAClvcmcuYXBhY2hlLmZsaW5rLnV0aWwuU2VyaWFsaXplZFRocm93YWJsZWUWnfUfpxPzAgADTAAZZnVsbF' +
  'N0cmluZ2lmaWVkU3RhY2tUcmFjZXQAEkxqYXZhL2xhbmcvU3RyaW5nO0wAFm9yaWdpbmFsRXJyb3JDbGFzc05hbWV0' +
  'ABJMamF2YS9sYW5nL1N0cmluZztbABNzZXJpYWxpemVkRXhjZXB0aW9udAACW0J4cgATamF2YS5sYW5nLkV4Y2VwdG' +
  'lvbtD9Hz4aOxzEAgAAeHIAE2phdmEubGFuZy5UaHJvd2FibGXVxjUnOXe4ywMABEwABWNhdXNldAAVTGphdmEvbGFu' +
  'Zy9UaHJvd2FibGU7TAANZGV0YWlsTWVzc2FnZXQAEkxqYXZhL2xhbmcvU3RyaW5nO1sACnN0YWNrVHJhY2V0AB5bTG' +
  'phdmEvbGFuZy9TdGFja1RyYWNlRWxlbWVudDtMABRzdXBwcmVzc2VkRXhjZXB0aW9uc3QAEExqYXZhL3V0aWwvTGlz' +
  'dDt4cHB0ABNrZWluIMOEwIAg7aC97biAIGRhdXIAHltMamF2YS5sYW5nLlN0YWNrVHJhY2VFbGVtZW50OwJGKjw8/S' +
  'I5AgAAeHAAAAAAcHh0AA5FcnJvcjoga2VpbiDDhHQACnN0YXRlLmdvbmVw'

it('gives an error the bytes that Java reads, whatever its characters', () => {
  expect(
    failureCause({
      name: 'Error',
      code: 'state.gone',
      message: 'kein Ä\0 \u{1F600} da',
      stack: 'Error: kein Ä',
    }),
  ).toEqual({ class: 'state.gone', 'stack-trace': 'Error: kein Ä', 'serialized-throwable': READ_BY_JAVA })
})

it('gives a long stack as a long string, and no more than a client can hold', () => {
  const bytesOf = (length: number): Buffer => {
    const cause = failureCause({ name: 'E', message: '', stack: 'x'.repeat(length) })
    return Buffer.from((cause as Record<string, string>)['serialized-throwable'] ?? '', 'base64')
  }
  expect(bytesOf(70_000).includes(Buffer.from('7c0000000000011170', 'hex'))).toBe(true)
  expect(bytesOf(5_000_000).length).toBeLessThan(101_000)
})
