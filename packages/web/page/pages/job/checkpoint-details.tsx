import { useState } from 'preact/hooks'
import { usePoll } from '../../api/poll.ts'
import type { Checkpoint, CheckpointOfSubtask, Job } from '../../api/shapes.ts'
import { Panel, Shown } from '../../components/parts.tsx'
import { bytes, duration, time } from '../../model/format.ts'
import { CheckpointFacts } from './checkpoint-facts.tsx'

/** One checkpoint: what each vertex, and opened up each subtask, did for it. */
export function CheckpointDetails({ job, path }: { job: Job; path: string }) {
  const answer = usePoll<Checkpoint>(path)
  const names = new Map(job.vertices.map(({ id, name }) => [id, name]))
  const [open, setOpen] = useState<string | undefined>()
  return (
    <Shown answer={answer} what="the checkpoint">
      {checkpoint => (
        <>
          <Panel title={`Checkpoint ${checkpoint.id}`}>
            <div class="pad">
              <CheckpointFacts of={checkpoint} />
            </div>
          </Panel>
          <Panel title="By vertex">
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th>Vertex</th>
                    <th class="num">Tasks</th>
                    <th class="num">Last answer</th>
                    <th class="num">Duration</th>
                    <th class="num">Written</th>
                    <th class="num">State</th>
                  </tr>
                </thead>
                <tbody>
                  {Object.entries(checkpoint.tasks).map(([id, vertex]) => (
                    <>
                      <tr key={id}>
                        <td class="wide">
                          <button
                            type="button"
                            class="link"
                            aria-expanded={open === id}
                            onClick={() => setOpen(open === id ? undefined : id)}
                          >
                            {open === id ? '▾' : '▸'} {names.get(id) ?? id}
                          </button>
                        </td>
                        <td class="num">
                          {vertex.num_acknowledged_subtasks}/{vertex.num_subtasks}
                        </td>
                        <td class="num">{time(vertex.latest_ack_timestamp)}</td>
                        <td class="num">{duration(vertex.end_to_end_duration)}</td>
                        <td class="num">{bytes(vertex.checkpointed_size)}</td>
                        <td class="num">{bytes(vertex.state_size)}</td>
                      </tr>
                      {open === id && (
                        <tr key={`${id} subtasks`}>
                          <td colSpan={6}>
                            <Subtasks path={`${path}/subtasks/${id}`} />
                          </td>
                        </tr>
                      )}
                    </>
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        </>
      )}
    </Shown>
  )
}

function Subtasks({ path }: { path: string }) {
  const answer = usePoll<{ subtasks: readonly CheckpointOfSubtask[] }>(path)
  return (
    <Shown answer={answer} what="subtasks">
      {({ subtasks }) => (
        <table>
          <thead>
            <tr>
              <th class="num">Subtask</th>
              <th class="num">Duration</th>
              <th class="num">Barrier came after</th>
              <th class="num">Alignment</th>
              <th class="num">Sync</th>
              <th class="num">Async</th>
              <th class="num">Written</th>
              <th class="num">State</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {subtasks.map(subtask => (
              <tr key={subtask.index}>
                <td class="num">{subtask.index + 1}</td>
                <td class="num">{duration(subtask.end_to_end_duration)}</td>
                <td class="num">{duration(subtask.start_delay)}</td>
                <td class="num">{duration(subtask.alignment?.duration)}</td>
                <td class="num">{duration(subtask.checkpoint?.sync)}</td>
                <td class="num">{duration(subtask.checkpoint?.async)}</td>
                <td class="num">{bytes(subtask.checkpointed_size)}</td>
                <td class="num">{bytes(subtask.state_size)}</td>
                <td class="muted">
                  {subtask.unaligned_checkpoint === true ? 'unaligned' : remark(subtask.status)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Shown>
  )
}

function remark(status: string): string {
  return status === 'completed' ? '' : 'no answer'
}
