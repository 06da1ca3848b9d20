import type { Checkpoint } from '../../api/shapes.ts'
import { Facts } from '../../components/parts.tsx'
import { bytes, duration, time } from '../../model/format.ts'
import { kindOf } from './checkpoint-history.tsx'

/** What there is to say of a checkpoint as a whole. */
export function CheckpointFacts({ of }: { of: Checkpoint }) {
  const { failure_message: failure, failure_timestamp: failedAt } = of
  return (
    <Facts
      of={[
        ['Id', of.id],
        ['Kind', kindOf(of)],
        ['Triggered', time(of.trigger_timestamp)],
        ['Duration', duration(of.end_to_end_duration)],
        ['Tasks', `${of.num_acknowledged_subtasks} of ${of.num_subtasks}`],
        ['Written', bytes(of.checkpointed_size)],
        ['State', bytes(of.state_size)],
        ...(of.external_path === undefined ? [] : ([['Path', <code>{of.external_path}</code>]] as const)),
        ...(of.discarded === true ? ([['Kept', 'no: newer ones have replaced it']] as const) : []),
        ...(failure === undefined ? [] : ([['Failed', `${time(failedAt)}: ${failure}`]] as const)),
      ]}
    />
  )
}
