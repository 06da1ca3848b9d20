import type { Checkpoint } from '../../api/shapes.ts'
import { Badge, Empty, Panel } from '../../components/parts.tsx'
import { bytes, duration, time } from '../../model/format.ts'
import { href } from '../../router.ts'

/** Kind of a checkpoint in words. */
export function kindOf({ checkpoint_type: type, is_savepoint: savepoint }: Checkpoint): string {
  if (type === 'SYNC_SAVEPOINT') return 'savepoint that ended the job'
  if (savepoint) return 'savepoint'
  return type === 'UNALIGNED_CHECKPOINT' ? 'unaligned' : 'checkpoint'
}

/** The latest checkpoints, each with a link to its details. */
export function CheckpointHistory({
  place,
  history,
}: {
  place: readonly string[]
  history: readonly Checkpoint[]
}) {
  if (history.length === 0) {
    return (
      <Panel title="History">
        <Empty>No checkpoint has been triggered yet.</Empty>
      </Panel>
    )
  }
  const longest = Math.max(1, ...history.map(checkpoint => checkpoint.end_to_end_duration))
  const failures = history.some(checkpoint => checkpoint.failure_message !== undefined)
  return (
    <Panel title="History">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th class="num">Id</th>
              <th>State</th>
              <th>Kind</th>
              <th class="num">Tasks</th>
              <th>Triggered</th>
              <th>Duration</th>
              <th class="num">Written</th>
              <th class="num">State size</th>
              {failures && <th>Failure</th>}
            </tr>
          </thead>
          <tbody>
            {history.map(checkpoint => (
              <tr key={checkpoint.id}>
                <td class="num">
                  <a href={href([...place, 'history', String(checkpoint.id)])}>{checkpoint.id}</a>
                </td>
                <td>
                  <Badge
                    state={checkpoint.status}
                    text={checkpoint.status.toLowerCase().replaceAll('_', ' ')}
                  />
                </td>
                <td class="nowrap">{kindOf(checkpoint)}</td>
                <td class="num">
                  {checkpoint.num_acknowledged_subtasks}/{checkpoint.num_subtasks}
                </td>
                <td class="nowrap">{time(checkpoint.trigger_timestamp)}</td>
                <td class="nowrap">
                  {duration(checkpoint.end_to_end_duration)}
                  <span class="meter thin" aria-hidden="true">
                    <i
                      class="used-fill"
                      style={{ width: `${(Math.max(0, checkpoint.end_to_end_duration) / longest) * 100}%` }}
                    />
                  </span>
                </td>
                <td class="num">{bytes(checkpoint.checkpointed_size)}</td>
                <td class="num">{bytes(checkpoint.state_size)}</td>
                {failures && <td class="wide muted">{checkpoint.failure_message ?? ''}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
