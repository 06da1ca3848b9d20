import type { ProcessInspection, TapAnswer, TaskInspection, TaskProfile } from '@flink-ts/gateways'
import type { AllocatedSlot } from '../slots/allocated-slot.ts'
import { TaskProfileBuilder } from '../slots/task-profile.ts'

/** Whatever is asked for, nobody looks for longer: those who asked may be gone. */
const MOST_MS = 60_000

export function isTaskInspection(
  inspection: ProcessInspection | TaskInspection,
): inspection is TaskInspection {
  return inspection.type === 'profile-tasks' || inspection.type === 'tap-tasks'
}

/** Looks into the tasks of these slots that were asked for; the others are not touched. */
export async function inspectTasks(
  slots: Iterable<Pick<AllocatedSlot, 'profile' | 'tap'>>,
  inspection: TaskInspection,
): Promise<TaskProfile | readonly TapAnswer[]> {
  if (inspection.type === 'profile-tasks') {
    const builder = new TaskProfileBuilder(inspection)
    const durationMs = Math.min(inspection.durationMs, MOST_MS)
    await Promise.all([...slots].map(slot => slot.profile(inspection, durationMs, builder)))
    return builder.build()
  }
  const tap = { ...inspection.tap, durationMs: Math.min(inspection.tap.durationMs, MOST_MS) }
  return (await Promise.all([...slots].map(slot => slot.tap(inspection, tap)))).flat()
}
