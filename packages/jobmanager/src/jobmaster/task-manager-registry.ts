import type { ResourceId } from '@flink-ts/common'
import {
  type TaskExecutorGateway,
  type TaskManagerRegistration,
  taskExecutorGateway,
} from '@flink-ts/gateways'
import type { RpcSession } from '@flink-ts/rpc'

interface Entry {
  readonly session: RpcSession
  readonly gateway: TaskExecutorGateway
}

/** The TaskManagers that are connected to a JobMaster. Owner: JobMaster main thread. */
export class TaskManagerRegistry {
  readonly #entries = new Map<ResourceId, Entry>()

  add({ resourceId }: TaskManagerRegistration, session: RpcSession): void {
    this.#entries.set(resourceId, { session, gateway: session.gateway(taskExecutorGateway) })
  }

  session(resourceId: ResourceId): RpcSession | undefined {
    return this.#entries.get(resourceId)?.session
  }

  /** Whether `session` is the current one of that TaskManager. */
  has(resourceId: ResourceId, session: RpcSession): boolean {
    return this.#entries.get(resourceId)?.session === session
  }

  gateway(resourceId: ResourceId): TaskExecutorGateway | undefined {
    return this.#entries.get(resourceId)?.gateway
  }

  /** Ends a session whose TaskManager cannot be dealt with: it frees everything and starts over. */
  disconnect(resourceId: ResourceId, reason: string): void {
    this.#entries.get(resourceId)?.session.close(reason)
  }

  remove(resourceId: ResourceId): void {
    this.#entries.delete(resourceId)
  }
}
