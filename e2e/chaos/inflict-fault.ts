import type { ChaosCluster, JobManagerMember, Member, TaskManagerMember } from './chaos-cluster.ts'
import type { PlannedFault } from './fault-plan.ts'
import type { JobLane } from './job-lane.ts'
import type { JobMonitor } from './job-monitor.ts'

/** A fault that has begun. */
export interface Inflicted {
  readonly target: string
  /** Whether recovery is counted from the beginning of the fault on, not from its end. */
  readonly atOnce: boolean
  /** Ends it: releases, or starts again what was killed. Called once. */
  end(): Promise<void>
  /** Whether the cluster knows of it: before, a job that seems to run proves nothing. */
  isNoticed(): boolean | Promise<boolean>
}

interface Surroundings {
  readonly chaos: ChaosCluster
  readonly lanes: readonly JobLane[]
  readonly monitor: JobMonitor
}

/** Begins a fault. Undefined: there is nobody whom it could hit. */
export async function inflictFault(
  { kind, victim, durationMs }: PlannedFault,
  { chaos, lanes, monitor }: Surroundings,
): Promise<Inflicted | undefined> {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(victim * from.length)]
  const taskManager = (): TaskManagerMember | undefined =>
    pick(chaos.taskManagers.filter(({ frozen }) => !frozen))
  const leader = chaos.leader()
  /** The leader two times out of three, or when there is no other one. */
  const jobManager = (): JobManagerMember | undefined => {
    const awake = chaos.jobManagers.filter(({ frozen }) => !frozen)
    const leading = awake.find(({ process }) => process.pid === leader?.pid)
    return victim < 2 / 3 && leading !== undefined ? leading : pick(awake)
  }
  const jobHost = (): number | undefined => pick(chaos.jobHosts())

  switch (kind) {
    case 'kill-taskmanager': {
      const member = taskManager()
      if (member === undefined) return undefined
      await chaos.kill(member)
      const { resourceId } = member
      return {
        target: resourceId,
        atOnce: true,
        end: () => chaos.startTaskManager(),
        isNoticed: async () => {
          const answer = await chaos.rest<{ taskmanagers: readonly { id: string }[] }>('/taskmanagers')
          return answer !== undefined && !answer.taskmanagers.some(({ id }) => id === resourceId)
        },
      }
    }
    case 'kill-jobmanager': {
      const member = jobManager()
      if (member === undefined) return undefined
      const leads = member.process.pid === leader?.pid
      await chaos.kill(member)
      return {
        target: `${member.process.pid}, ${leads ? 'leading' : 'standing by'}`,
        atOnce: true,
        end: () => chaos.startJobManager(),
        isNoticed: () => !leads || (chaos.leader()?.epoch ?? 0) > (leader?.epoch ?? 0),
      }
    }
    case 'kill-jobhost': {
      const pid = jobHost()
      if (pid === undefined || !signal(pid, 'SIGKILL')) return undefined
      return {
        target: String(pid),
        atOnce: true,
        end: async () => {},
        isNoticed: () => !chaos.jobHosts().includes(pid),
      }
    }
    case 'freeze-taskmanager':
      return freeze(taskManager(), member => (member as TaskManagerMember).resourceId)
    case 'freeze-jobmanager': {
      const member = jobManager()
      return freeze(member, () => (member?.process.pid === leader?.pid ? 'leading' : 'standing by'))
    }
    case 'freeze-jobhost': {
      const pid = jobHost()
      if (pid === undefined || !signal(pid, 'SIGSTOP')) return undefined
      return lasting(String(pid), async () => void signal(pid, 'SIGCONT'))
    }
    case 'cut-control':
    case 'refuse-control':
    case 'silence-control': {
      const member = jobManager()
      return member && disturb(member, kind.slice(0, -'-control'.length) as 'cut', String(member.process.pid))
    }
    case 'cut-data':
    case 'silence-data': {
      const member = taskManager()
      return member && disturb(member, kind.slice(0, -'-data'.length) as 'cut', member.resourceId)
    }
    case 'slow-storage': {
      const ms = Math.round(20 + victim * 400)
      chaos.storageFault = `slow ${ms}`
      return lasting(`${ms} ms for each call`, async () => {
        chaos.storageFault = undefined
      })
    }
    case 'full-disk':
      chaos.storageFault = 'full'
      return lasting(`for ${durationMs} ms`, async () => {
        chaos.storageFault = undefined
      })
    case 'savepoint':
    case 'rescale':
    case 'resume': {
      const lane = pick(lanes.filter(({ jobId }) => jobId !== undefined && monitor.isUp(jobId)))
      if (lane === undefined) return undefined
      const jobId = lane.jobId as string
      const done = lane.request(kind)
      return { target: `${lane.kind} ${jobId}`, atOnce: false, end: () => done, isNoticed: () => true }
    }
  }
}

const lasting = (target: string, end: () => Promise<void>): Inflicted => ({
  target,
  atOnce: false,
  end,
  isNoticed: () => true,
})

function freeze<M extends Member>(
  member: M | undefined,
  nameOf: (member: M) => string,
): Inflicted | undefined {
  if (member === undefined || !member.process.kill('SIGSTOP')) return undefined
  member.frozen = true
  return lasting(nameOf(member), async () => {
    member.frozen = false
    member.process.kill('SIGCONT')
  })
}

function disturb(member: Member, how: 'cut' | 'refuse' | 'silence', target: string): Inflicted {
  member.proxy[how]()
  return lasting(target, async () => {
    if (how !== 'cut') member.proxy.restore()
  })
}

/** False: there is no such process any more. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
