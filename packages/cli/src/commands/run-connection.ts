import type { ClusterClient } from '@flink-ts/client'
import type { Configuration } from '@flink-ts/common'
import { connect } from '../session.ts'
import type { Terminal } from '../terminal.ts'

/** The cluster of a run. Closed when main has ended and no job runs, so that it does not keep the process alive. */
export class RunConnection {
  readonly #configuration: Configuration
  readonly #terminal: Terminal
  #cluster: Promise<ClusterClient> | undefined
  #users = 0
  #mainEnded = false

  constructor(configuration: Configuration, terminal: Terminal, cluster: ClusterClient) {
    this.#configuration = configuration
    this.#terminal = terminal
    this.#cluster = Promise.resolve(cluster)
  }

  acquire(): Promise<ClusterClient> {
    this.#users++
    this.#cluster ??= connect(this.#configuration, this.#terminal, { patient: true })
    return this.#cluster
  }

  async done(): Promise<void> {
    this.#users--
    await this.#release()
  }

  /** Main has come to its last line; what of it is not awaited may still submit jobs. */
  async mainEnded(): Promise<void> {
    this.#mainEnded = true
    await this.#release()
  }

  async #release(): Promise<void> {
    if (this.#users > 0 || !this.#mainEnded) return
    const cluster = this.#cluster
    this.#cluster = undefined
    await (await cluster)?.close()
  }
}
