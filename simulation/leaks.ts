import { CHECKPOINTS, type Scenario } from './scenario.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { World } from './world.ts'

/** Timers of the JobManager, of the client, and of each TaskManager. */
export function timersOf(cluster: SimulatedCluster): readonly number[] {
  const { leader, clientProcess, taskManagers } = cluster
  return [leader?.process, clientProcess, ...taskManagers.map(({ process }) => process)].map(
    process => process?.clock.timers ?? 0,
  )
}

/** What is left of jobs that are over, in words. @param timers those before the first job */
export function describeLeaks(
  scenario: Scenario,
  cluster: SimulatedCluster,
  world: World,
  timers: readonly number[],
): readonly string[] {
  const leaks: string[] = []
  const resourceManager = cluster.leader?.resourceManager
  if (resourceManager === undefined) return ['no JobManager leads']
  const { totalSlots, freeSlots } = resourceManager.overview()
  const slots = scenario.taskManagers.reduce((sum, count) => sum + count, 0)
  if (totalSlots !== slots || freeSlots !== slots)
    leaks.push(`${freeSlots} of ${totalSlots} slots are free, ${slots} exist`)
  for (const { process, threads } of cluster.taskManagers)
    if (threads.size > 0) leaks.push(`${process.name} has ${threads.size} slot threads`)
  if (world.dataPlane.size > 0) leaks.push(`${world.dataPlane.size} channels are open`)
  const hosts = cluster.jobManagers.flatMap(({ jobHosts }) => jobHosts?.running ?? [])
  if (hosts.length > 0) leaks.push(`${hosts.length} job hosts run`)
  const now = timersOf(cluster)
  for (const [index, count] of now.entries()) {
    if (count <= timers[index]!) continue
    const name = ['jobmanager', 'client'][index] ?? `tm${index - 2}`
    leaks.push(`${name} has ${count} timers, ${timers[index]} before the first job`)
  }
  // What a storage that failed did not remove, a JobManager that was killed or lost the lead, or a TaskManager that thawed after the end
  // of the job and only then learnt of it, is left to `checkpoint gc`.
  const excused =
    cluster.lostJobManagers > 0 ||
    world.revokedTerms > 0 ||
    scenario.faults.some(({ type }) => type === 'failing-storage' || type === 'freeze-task-manager')
  for (const jobId of excused ? [] : cluster.clients.flatMap(({ ended }) => ended)) {
    const files = world.storage.below(`${CHECKPOINTS}/${jobId}`)
    if (files.length > 0) leaks.push(`job ${jobId} has finished and left ${files.join(', ')}`)
  }
  return leaks
}
