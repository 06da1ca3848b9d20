import { expect, it } from 'vitest'
import { logLines } from './log-lines.ts'

it('lines of JSON become text, others stay as they are', () => {
  const entry = {
    level: 40,
    time: 1_700_000_000_123,
    pid: 1,
    msg: 'Slot lost',
    slot: 3,
    error: { message: 'x' },
  }
  const lines = logLines(`${JSON.stringify(entry)}\nplain {text}\n{broken\n{"no":"message"}\n`)
  expect(lines).toHaveLength(4)
  expect(lines[0]).toMatchObject({
    ...{ number: 0, time: '22:13:20.123', level: 'warn', message: 'Slot lost' },
    fields: 'slot=3 error={"message":"x"}',
  })
  for (const [index, raw] of ['plain {text}', '{broken', '{"no":"message"}'].entries())
    expect(lines[index + 1]).toEqual({ number: index + 1, raw })
})

it('levels and times may be words', () => {
  const [line] = logLines('{"level":"error","time":"2026-01-02T03:04:05.006Z","msg":"m"}')
  expect(line).toMatchObject({ level: 'error', time: '03:04:05.006', fields: '' })
  expect(logLines('{"msg":"m","level":20}')[0]).toMatchObject({ level: 'debug', time: '' })
  expect(logLines('')).toEqual([])
})
