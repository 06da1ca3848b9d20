import { expect, test } from 'vitest'
import { parseCommandLine } from './command-line.ts'
import { parseEvent } from './input/event-lines.ts'
import { parseSideInput } from './input/side-input.ts'
import { QUERIES } from './queries/all.ts'

const FILES = ['--input', 'events.jsonl.gz', '--output', 'out']

test('a command line says what runs on what', () => {
  const parsed = parseCommandLine(['q5', 'q7', 'q5', ...FILES, '--parallelism', '4'])
  expect(parsed.queries.map(query => query.name)).toEqual(['q5', 'q7'])
  expect(parsed).toMatchObject({ input: 'events.jsonl.gz', output: 'out', parallelism: 4 })
  expect(parseCommandLine(['all', ...FILES]).queries).toEqual(QUERIES)
})

test.each([
  [FILES, 'the name of a query is missing'],
  [['q6', ...FILES], "there is no query 'q6', but q0, q1"],
  [['q5', '--output', 'out'], '--input is missing'],
  [['q5', '--input', 'in'], '--output is missing'],
  [['q5', ...FILES, '--parallelism', '0'], "--parallelism is '0'"],
  [['q5', ...FILES, '--paralelism', '2'], "Unknown option '--paralelism'"],
])('%j is refused with what to change', (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message)
  expect(() => parseCommandLine(args)).toThrow('npm run nexmark --')
})

test.each(['{', 'null', '5', '{"event_type":2}', '{"event_type":2,"bid":{"dateTime":"now"}}'])(
  'the line %s is no event, and is named',
  line => {
    expect(() => parseEvent(line, 'events.jsonl', 7)).toThrow('events.jsonl:7 is no')
  },
)

test('a side input has a number and a text in each line', () => {
  expect([...parseSideInput('1,one\n2,two, too\n', 'rows.csv')]).toEqual([
    [1, 'one'],
    [2, 'two, too'],
  ])
  expect(() => parseSideInput('1,one\ntwo\n', 'rows.csv')).toThrow(
    "rows.csv:2 is no row of the side input: 'two'",
  )
})
