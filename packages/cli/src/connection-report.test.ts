import { ManualClock } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { reportConnection } from './connection-report.ts'

function recorded(interactive: boolean) {
  const lines: string[] = []
  const status: (string | undefined)[] = []
  const clock = new ManualClock()
  const report = reportConnection(
    'host:6123',
    {
      interactive,
      print: line => lines.push(line),
      complain: line => lines.push(line),
      showStatus: line => status.push(line),
    },
    clock,
  )
  return { lines, status, clock, report }
}

test('a loss is told at once, the absence every ten seconds, the return at the end', () => {
  const { lines, clock, report } = recorded(false)
  report({ type: 'lost', reason: 'It closed the connection.', reconnectTimeoutMs: 60_000 })
  expect(lines).toEqual([
    'Lost the connection to the JobManager at host:6123: It closed the connection. Jobs may go on without this ' +
      'client. Trying to reach it again for 1 min 0 s (client.timeout) ...',
  ])
  for (let second = 1; second <= 25; second++) {
    clock.advance(1000)
    report({ type: 'absent', reason: 'refused', sinceMs: second * 1000 })
  }
  expect(lines.slice(1)).toEqual([
    'No JobManager answers at host:6123 since 10.0 s; trying again ...',
    'No JobManager answers at host:6123 since 20.0 s; trying again ...',
  ])
  report({ type: 'restored', afterMs: 25_400 })
  expect(lines.at(-1)).toBe('The JobManager at host:6123 answers again after 25.4 s.')
})

test('on a terminal the absence is a status line, which goes with the return', () => {
  const { lines, status, report } = recorded(true)
  report({ type: 'lost', reason: 'x.', reconnectTimeoutMs: 1000 })
  report({ type: 'absent', reason: 'refused', sinceMs: 100 })
  report({ type: 'restored', afterMs: 200 })
  expect(lines).toHaveLength(2)
  expect(status).toEqual(['No JobManager answers at host:6123 since 0.1 s; trying again ...', undefined])
})
