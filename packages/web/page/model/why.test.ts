import { describe, expect, it } from 'vitest'
import { type Load, shortName, whatLimits } from './why.ts'

const vertex = (id: string, inputs: string[], busy: number, backPressured: number): Load => ({
  ...{ id, name: id, parallelism: 2, inputs },
  rates: {
    ...{ recordsInPerSecond: 1, recordsOutPerSecond: 1, bytesInPerSecond: 1, bytesOutPerSecond: 1 },
    ...{ busy, backPressured, idle: 1 - busy - backPressured },
  },
})
const running = (...vertices: Load[]) =>
  whatLimits({ state: 'RUNNING', durationMs: 1000, waiting: 0, tasks: 2, vertices })

describe('what limits a running job', () => {
  it('is the cores, when tasks of several vertices want all of the thread that they share', () => {
    const answer = running(vertex('source', [], 0.86, 0.14), vertex('check', ['source'], 0.94, 0.06))
    expect(answer.text).toContain(
      'the threads of its 2 slots are full, where ‘check’ (busy 94 %) and ‘source’ (busy 86 %) take turns',
    )
  })

  it('is what works without a pause behind those that wait', () => {
    const answer = running(
      vertex('source', [], 0.1, 0.9),
      vertex('parse', ['source'], 0.3, 0.7),
      vertex('window', ['parse'], 0.97, 0),
      vertex('sink', ['window'], 0.98, 0),
    )
    expect(answer.text).toContain(
      '‘window’ limits the job: it is busy 97 % of the time, and ‘parse’ waits for it.',
    )
    expect(answer.tone).toBe('bad')
  })

  it('names all that wait', () => {
    const answer = running(vertex('a', [], 0, 1), vertex('b', [], 0, 1), vertex('join', ['a', 'b'], 0.6, 0))
    expect(answer.text).toContain('‘a’ and ‘b’ wait for it')
  })

  it.each([
    [
      running(vertex('source', [], 0.95, 0), vertex('sink', ['source'], 0.2, 0)),
      'The source ‘source’ limits',
    ],
    [running(vertex('source', [], 0.2, 0), vertex('map', ['source'], 0.9, 0)), 'keeps up with its input'],
    [running(vertex('source', [], 0.1, 0.5)), 'by bursts'],
    [running(vertex('source', [], 0.1, 0), vertex('sink', ['source'], 0, 0)), 'all tasks wait for input'],
    [running(vertex('source', [], 0.4, 0)), 'has 60 % of its time left'],
    [running({ ...vertex('source', [], 0, 0), rates: undefined }), 'after the next measurement'],
  ])('%o', (answer, text) => expect(answer.text).toContain(text))
})

it.each([
  ['FAILED', 'Failed after 1.0 s: Error: boom'],
  ['RESTARTING', 'Restarts after a failure: Error: boom'],
  ['FINISHED', 'all tasks came to their end after 1.0 s.'],
  ['CANCELLING', 'Is being cancelled'],
  ['INITIALIZING', 'Is being set up.'],
])('%s is said, with its reason', (state, text) => {
  const question = { state, durationMs: 1000, failure: 'Error: boom', waiting: 0, tasks: 1, vertices: [] }
  expect(whatLimits(question).text).toContain(text)
})

it('tasks that do not run yet come first', () => {
  const question = {
    state: 'RUNNING',
    durationMs: 0,
    waiting: 3,
    tasks: 4,
    vertices: [vertex('a', [], 1, 0)],
  }
  expect(whatLimits(question).text).toContain('3 of 4 tasks do not run yet')
})

it('names of long chains keep their ends', () => {
  expect(shortName('Source: x -> Map')).toBe('Source: x -> Map')
  expect(shortName(`Source: x -> ${'Map -> '.repeat(20)}Sink: y`)).toBe('Source: x -> … -> Sink: y')
  expect(shortName('x'.repeat(100))).toHaveLength(48)
})
