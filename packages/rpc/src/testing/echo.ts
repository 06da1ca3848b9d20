import {
  type LeaderSessionId,
  nullLogger,
  type ResourceId,
  SystemClock,
  SystemRandom,
} from '@flink-ts/common'
import {
  defineGateway,
  type RpcEndpoint,
  type RpcHandlers,
  type RpcSession,
} from '../endpoint/rpc-session.ts'

/** A gateway for tests. */
export interface EchoGateway {
  echo(value: unknown): Promise<unknown>
  /** Remembers the number. */
  push(n: number): Promise<number>
  fail(message: string): Promise<never>
  /** Never answers. */
  hang(): Promise<never>
}

export const echoGateway = defineGateway<EchoGateway>('echo', ['echo', 'push', 'fail', 'hang'])

/** Records what it is told. */
export class EchoHandlers {
  readonly pushed: number[] = []

  echo(value: unknown): unknown {
    return value
  }

  push(n: number): number {
    this.pushed.push(n)
    return n
  }

  fail(message: string): never {
    throw new TypeError(message)
  }

  hang(): Promise<never> {
    return new Promise(() => {})
  }
}

/** An endpoint that serves the echo gateway and keeps its sessions. */
export class EchoEndpoint implements RpcEndpoint {
  readonly endpointName: string
  readonly leaderSessionId = 'leader-1' as LeaderSessionId
  readonly handlers = new EchoHandlers()
  readonly sessions: RpcSession[] = []
  readonly #accepted: (session: RpcSession) => void

  constructor(endpointName = 'echo', accepted: (session: RpcSession) => void = () => {}) {
    this.endpointName = endpointName
    this.#accepted = accepted
  }

  acceptSession(session: RpcSession): RpcHandlers {
    this.sessions.push(session)
    this.#accepted(session)
    return this.handlers
  }
}

export const testDependencies = { clock: new SystemClock(), random: new SystemRandom(), logger: nullLogger }

/** Options of a process in tests. */
export function testProcess(name: string) {
  return { resourceId: name as ResourceId, version: '1.2.3' }
}

/** Resolves with the reason when the session is lost. */
export function lossOf(session: RpcSession): Promise<Error> {
  return new Promise(resolve => session.onLost(resolve))
}
