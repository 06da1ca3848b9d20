import { useState } from 'preact/hooks'
import { Empty } from '../../components/parts.tsx'
import { count, time } from '../../model/format.ts'
import { useLook } from './use-look.ts'

/** GET /v2/jobs/:id/vertices/:id/tap */
interface TapAnswer {
  readonly seen: number
  readonly tasks: number
  readonly records: readonly {
    readonly subtaskIndex: number
    readonly sender: string
    readonly timestamp: number | null
    readonly takenAt: number
    readonly text: string
  }[]
}

interface TapTabProps {
  readonly path: string
  readonly parallelism: number
  readonly receives: boolean
  readonly sends: boolean
}

const LIMITS = [20, 100, 500] as const
const DURATION_MS = 2000

/** Records in flight, as they come into a vertex or leave it. */
export function TapTab({ path, parallelism, receives, sends }: TapTabProps) {
  const [side, setSide] = useState(sends ? 'output' : 'input')
  const [subtask, setSubtask] = useState('')
  const [limit, setLimit] = useState<number>(LIMITS[0])
  const { looking, data, failure, look } = useLook<TapAnswer>()
  if (!receives && !sends) return <Empty>Nothing goes in or out here: all of it is one chain.</Empty>
  const of = subtask === '' ? '' : `&subtask=${subtask}`
  return (
    <div class="pad stack">
      <form
        class="choices-line"
        onSubmit={event => {
          event.preventDefault()
          look(`/v2${path}/tap?side=${side}&limit=${limit}&durationMs=${DURATION_MS}${of}`)
        }}
      >
        <label>
          Records{' '}
          <select value={side} onChange={event => setSide(event.currentTarget.value)}>
            {sends && <option value="output">sent</option>}
            {receives && <option value="input">received</option>}
          </select>
        </label>
        {side === 'input' && (
          <label>
            by{' '}
            <select value={subtask} onChange={event => setSubtask(event.currentTarget.value)}>
              <option value="">all subtasks</option>
              {Array.from({ length: parallelism }, (_, index) => (
                <option key={index} value={index}>
                  subtask {index + 1}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          at most{' '}
          <select value={limit} onChange={event => setLimit(Number(event.currentTarget.value))}>
            {LIMITS.map(number => (
              <option key={number} value={number}>
                {number}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="primary" disabled={looking}>
          {looking ? 'Looks …' : 'Look'}
        </button>
      </form>
      {failure !== undefined && (
        <p role="alert" class="failure">
          {failure}
        </p>
      )}
      {data === undefined && failure === undefined && (
        <p class="muted">
          A look takes {DURATION_MS / 1000} s at most. Its tasks work a little slower meanwhile, and at full
          speed again afterwards.
        </p>
      )}
      {data !== undefined && <Records answer={data} />}
    </div>
  )
}

function Records({ answer: { seen, tasks, records } }: { answer: TapAnswer }) {
  if (records.length === 0) {
    return <Empty>{tasks === 0 ? 'No task runs here.' : 'No record came by in that time.'}</Empty>
  }
  return (
    <>
      <p class="muted" role="status">
        {count(records.length)} of {count(seen)} records that passed
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Record</th>
              <th>Event time</th>
              <th>From</th>
              <th class="num">To subtask</th>
            </tr>
          </thead>
          <tbody>
            {records.map(({ subtaskIndex, sender, timestamp, text }, index) => (
              <tr key={index}>
                <td class="wide">
                  <pre class="record">{text}</pre>
                </td>
                <td class="nowrap">{timestamp === null ? '–' : time(timestamp)}</td>
                <td class="nowrap">{sender}</td>
                <td class="num">{subtaskIndex + 1}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
