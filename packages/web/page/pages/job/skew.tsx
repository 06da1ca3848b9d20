import { useState } from 'preact/hooks'
import { usePoll } from '../../api/poll.ts'
import { Empty, Facts, Shown } from '../../components/parts.tsx'
import { bytes, count, percent, short } from '../../model/format.ts'
import type { Rates } from '../../model/rates.ts'
import { skewOf } from '../../model/skew.ts'
import { type SubtasksAnswer, useSubtaskRates } from './use-subtask-rates.ts'

interface Measure {
  readonly label: string
  readonly write: (value: number) => string
  readonly read: (rates: Rates) => number
}

const perSecond = (write: (value: number) => string) => (value: number) => `${write(value)}/s`

const MEASURES: Readonly<Record<string, Measure>> = {
  in: { label: 'Records in', write: perSecond(short), read: rates => rates.recordsInPerSecond },
  out: { label: 'Records out', write: perSecond(short), read: rates => rates.recordsOutPerSecond },
  read: { label: 'Bytes read', write: perSecond(bytes), read: rates => rates.bytesInPerSecond },
  written: { label: 'Bytes written', write: perSecond(bytes), read: rates => rates.bytesOutPerSecond },
  busy: { label: 'Busy time', write: percent, read: rates => rates.busy },
}

const TOTALS: Readonly<Record<string, Measure['write']>> = {
  in: count,
  out: count,
  read: bytes,
  written: bytes,
}
const COUNTERS = {
  in: 'read-records',
  out: 'write-records',
  read: 'read-bytes',
  written: 'write-bytes',
} as const

/** How evenly a vertex's work is spread over its subtasks, now or since they started. */
export function SkewTab({ path }: { path: string }) {
  const answer = usePoll<SubtasksAnswer>(path)
  const rates = useSubtaskRates(answer.data)
  const [chosen, choose] = useState('in')
  const [since, setSince] = useState<'now' | 'start'>('start')
  const measure = MEASURES[chosen] as Measure
  // Busy time is a share: it has no total.
  const counter = since === 'start' && chosen in COUNTERS ? (chosen as keyof typeof COUNTERS) : undefined
  return (
    <Shown answer={answer} what="subtasks">
      {({ subtasks }) => {
        const values = subtasks.map(({ subtask, metrics }) => {
          if (counter !== undefined) return metrics[COUNTERS[counter]]
          const own = rates.get(subtask)
          return own === undefined ? 0 : measure.read(own)
        })
        const write = counter === undefined ? measure.write : (TOTALS[counter] ?? count)
        return (
          <div class="pad stack">
            <div class="choices-line">
              <label>
                Of{' '}
                <select value={chosen} onChange={event => choose(event.currentTarget.value)}>
                  {Object.entries(MEASURES).map(([id, { label }]) => (
                    <option key={id} value={id}>
                      {label}
                    </option>
                  ))}
                </select>
              </label>
              <label>
                <select
                  aria-label="Since when"
                  value={since}
                  onChange={event => setSince(event.currentTarget.value === 'now' ? 'now' : 'start')}
                >
                  <option value="start">since they started</option>
                  <option value="now">now</option>
                </select>
              </label>
            </div>
            <Spread values={values} write={write} />
          </div>
        )
      }}
    </Shown>
  )
}

const WIDTH = 800
const HEIGHT = 160
const MOST_LISTED = 10

function Spread({ values, write }: { values: readonly number[]; write: (value: number) => string }) {
  const skew = skewOf(values)
  if (skew === undefined) {
    return (
      <Empty>{values.length < 2 ? 'One subtask has it all.' : 'No subtask has had any of it yet.'}</Empty>
    )
  }
  const { average, most, least, mostAt, unevenness } = skew
  const width = WIDTH / values.length
  const height = (value: number): number => (value / most) * HEIGHT
  const top = values
    .map((value, index) => ({ value, index }))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, MOST_LISTED)
  return (
    <>
      <Facts
        of={[
          ['Skew', `${percent(unevenness)}: 0 % is even, at 100 % one subtask has everything`],
          ['Most', `${write(most)}, subtask ${mostAt + 1}: ${percent(most / average)} of the average`],
          ['Average', write(average)],
          ['Least', write(least)],
        ]}
      />
      <svg
        class="spread"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`One bar for each of ${values.length} subtasks`}
      >
        {values.map((value, index) => (
          <rect
            key={index}
            class={value > 1.5 * average ? 'high' : ''}
            x={index * width}
            y={HEIGHT - height(value)}
            width={Math.max(1, width - (width > 4 ? 2 : 0))}
            height={height(value)}
          >
            <title>{`Subtask ${index + 1}: ${write(value)}`}</title>
          </rect>
        ))}
        <line x1={0} x2={WIDTH} y1={HEIGHT - height(average)} y2={HEIGHT - height(average)} />
      </svg>
      <table>
        <thead>
          <tr>
            <th class="num">Subtask</th>
            <th class="num">Amount</th>
            <th class="num">Of the average</th>
          </tr>
        </thead>
        <tbody>
          {top.map(({ value, index }) => (
            <tr key={index}>
              <td class="num">{index + 1}</td>
              <td class="num">{write(value)}</td>
              <td class="num">{percent(value / average)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {values.length > MOST_LISTED && <p class="muted">{values.length - MOST_LISTED} more have less.</p>}
    </>
  )
}
