import { type JobId, serializeError } from '@flink-ts/common'
import type { CoordinatorCommand, CoordinatorsDeployment } from '@flink-ts/gateways'
import type { CoordinatorsHandle, CoordinatorsListener, JobHosts } from '../coordination/job-hosts.ts'

/** For tests: notes what coordinators are told, answers snapshots if it is to. */
export class FakeJobHosts implements JobHosts {
  readonly calls: string[] = []
  readonly deployments: CoordinatorsDeployment[] = []
  readonly reserved = new Set<JobId>()
  snapshots = true
  #listener: CoordinatorsListener | undefined

  reserve(jobId: JobId): void {
    this.reserved.add(jobId)
  }

  release(jobId: JobId): void {
    this.reserved.delete(jobId)
  }

  start(deployment: CoordinatorsDeployment, listener: CoordinatorsListener): CoordinatorsHandle {
    this.deployments.push(deployment)
    this.calls.push(`start ${deployment.run} from ${deployment.restoredCheckpointId ?? 'nothing'}`)
    this.#listener = listener
    return {
      tell: command => this.#tell(deployment, listener, command),
      stop: async () => {
        this.calls.push(`stop ${deployment.run}`)
      },
    }
  }

  /** The coordinators say something. */
  report(...[report]: Parameters<CoordinatorsListener['report']>): void {
    this.#listener?.report(report)
  }

  /** The process of the coordinators dies. */
  lose(): void {
    this.#listener?.lost(serializeError(new Error('job host killed')))
  }

  #tell(
    { job: { graph } }: CoordinatorsDeployment,
    listener: CoordinatorsListener,
    command: CoordinatorCommand,
  ): void {
    switch (command.type) {
      case 'event':
        this.calls.push(`event ${command.subtaskIndex} ${Buffer.from(command.event).toString()}`)
        break
      case 'reset':
        this.calls.push(
          `reset ${command.subtasks.map(s => s.subtaskIndex).join()} to ${command.checkpointId ?? 'nothing'}`,
        )
        break
      default:
        this.calls.push(`${command.type} ${command.checkpointId}`)
    }
    if (command.type !== 'snapshot' || !this.snapshots) return
    const { checkpointId } = command
    const states = graph.vertices
      .flatMap(vertex => vertex.operators)
      .filter(({ coordinated }) => coordinated === true)
      .map(({ operatorId }) => ({ operatorId, state: Buffer.from(`state ${checkpointId}`) }))
    queueMicrotask(() => listener.report({ type: 'snapshot', checkpointId, states }))
  }
}
