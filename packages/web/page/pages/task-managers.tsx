import { usePoll } from '../api/poll.ts'
import type { TaskManager } from '../api/shapes.ts'
import { Empty, Panel, Shown, UsedMeter } from '../components/parts.tsx'
import { bytes, count, duration } from '../model/format.ts'
import { href } from '../router.ts'

/** The processes that do the work. */
export function TaskManagers() {
  const answer = usePoll<{ taskmanagers: readonly TaskManager[] }>('/taskmanagers')
  return (
    <>
      <h1 style={{ marginBottom: '14px' }}>Task managers</h1>
      <Panel>
        <Shown answer={answer} what="task managers">
          {({ taskmanagers }) =>
            taskmanagers.length === 0 ? (
              <Empty>No task manager is registered. Start one with bin/taskmanager.sh start</Empty>
            ) : (
              <Table taskManagers={taskmanagers} />
            )
          }
        </Shown>
      </Panel>
    </>
  )
}

function Table({ taskManagers }: { taskManagers: readonly TaskManager[] }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Task manager</th>
            <th>Address</th>
            <th>Slots in use</th>
            <th class="num">Heard of</th>
            <th class="num">Cores</th>
            <th class="num">Memory for tasks</th>
            <th class="num">Network memory</th>
            <th class="num">Memory of the host</th>
          </tr>
        </thead>
        <tbody>
          {taskManagers.map(taskManager => {
            const { id, path, dataPort, slotsNumber, freeSlots, hardware, memoryConfiguration } = taskManager
            const used = slotsNumber - freeSlots
            return (
              <tr key={id}>
                <td class="wide">
                  <a href={href(['task-manager', id])}>{id}</a>
                </td>
                <td class="nowrap">
                  {path}:{dataPort}
                </td>
                <td>
                  {used} of {slotsNumber}
                  <UsedMeter share={slotsNumber === 0 ? 0 : used / slotsNumber} />
                </td>
                <td class="num">
                  {duration(Math.max(0, Date.now() - taskManager.timeSinceLastHeartbeat))} ago
                </td>
                <td class="num">{count(hardware['cpuCores'])}</td>
                <td class="num">{bytes(memoryConfiguration?.['taskHeap'])}</td>
                <td class="num">{bytes(memoryConfiguration?.['networkMemory'])}</td>
                <td class="num">{bytes(hardware['physicalMemory'])}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
