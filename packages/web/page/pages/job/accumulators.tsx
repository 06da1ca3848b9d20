import { usePoll } from '../../api/poll.ts'
import type { Job } from '../../api/shapes.ts'
import { Empty, Panel, Shown } from '../../components/parts.tsx'

/** An accumulator as text. */
export interface AccumulatorValue {
  readonly name: string
  readonly type: string
  readonly value: string
}

/** What the program has added up. */
export function Accumulators({ job }: { job: Job }) {
  const answer = usePoll<{ 'user-task-accumulators': readonly AccumulatorValue[] }>(
    `/jobs/${job.jid}/accumulators`,
  )
  return (
    <Panel title="Accumulators">
      <Shown answer={answer} what="accumulators">
        {data => <AccumulatorTable values={data['user-task-accumulators']} />}
      </Shown>
    </Panel>
  )
}

/** Accumulators by name. */
export function AccumulatorTable({ values }: { values: readonly AccumulatorValue[] }) {
  if (values.length === 0) return <Empty>The program has added nothing to an accumulator.</Empty>
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>Type</th>
            <th>Value</th>
          </tr>
        </thead>
        <tbody>
          {values
            .toSorted((a, b) => a.name.localeCompare(b.name))
            .map(({ name, type, value }) => (
              <tr key={name}>
                <td>{name}</td>
                <td class="muted">{type}</td>
                <td class="wide mono">{value}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  )
}
