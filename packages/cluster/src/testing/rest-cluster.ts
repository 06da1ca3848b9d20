import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Configuration, nullLogger, SystemClock, SystemRandom } from '@flink-ts/common'
import {
  createPlanningContext,
  installExecutionContext,
  preloadRuntime,
  startPlanningRecorder,
} from '@flink-ts/jobgraph'
import { createRestServer } from '@flink-ts/rest'
import { MiniCluster } from '../minicluster/mini-cluster.ts'
import { NodeProcessMonitor } from '../monitoring/node-process-monitor.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by their fields, whatever they are.
export type Json = any

export interface RestAnswer {
  readonly status: number
  readonly body: Json
  readonly text: string
}

const clock = new SystemClock()
const random = new SystemRandom()

/** A cluster in this process with its REST API, for tests of what that answers. */
export class RestCluster {
  readonly cluster: MiniCluster
  readonly base: string
  /** Its process logs to `own.log` there. */
  readonly folder: string
  readonly #close: () => Promise<void>
  #jobs = 0

  private constructor(cluster: MiniCluster, base: string, folder: string, close: () => Promise<void>) {
    this.cluster = cluster
    this.base = base
    this.folder = folder
    this.#close = close
  }

  static async start(settings: Readonly<Record<string, string>>, taskManagers = 1): Promise<RestCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'flink-rest-'))
    const configuration = Configuration.of({ 'jobmanager.rpc.address': 'localhost', ...settings })
    const logFile = join(folder, 'own.log')
    const cluster = await MiniCluster.start(
      { configuration, taskManagers, slots: 6, threadLogger: { level: 'error', file: logFile } },
      { clock, random, logger: nullLogger },
    )
    const monitor = new NodeProcessMonitor({ logFile }, { clock, threads: () => [] })
    const rest = createRestServer(
      { bindAddress: '127.0.0.1', port: 0, allowUnauthenticated: false },
      {
        ...{ dispatcher: cluster.dispatcher, configuration, monitor, clock, random },
        ...{ logger: nullLogger, version: '1' },
      },
    )
    return new RestCluster(cluster, `http://127.0.0.1:${await rest.start()}`, folder, async () => {
      await rest.close()
      monitor.close()
      await cluster.close()
      rmSync(folder, { recursive: true })
    })
  }

  close(): Promise<void> {
    return this.#close()
  }

  /** Runs main of `tools/rest-jobs.ts` here, as the command line does, and submits what it executes. */
  async submit(job: string): Promise<string> {
    // A module of its own for each: its main runs when it is loaded.
    const url = new URL(`../../tools/rest-jobs.ts?${this.#jobs++}`, import.meta.url).href
    await preloadRuntime(url)
    const recorder = startPlanningRecorder({ args: [job] })
    let jobId = ''
    installExecutionContext(
      createPlanningContext(
        { args: [job], configuration: {}, code: { type: 'module', url } },
        {
          recorder,
          submit: async (graph, program) => {
            jobId = graph.jobId
            return await this.cluster.client.submitJob({ graph, program })
          },
        },
      ),
    )
    try {
      await import(url)
    } finally {
      recorder.stop()
    }
    return jobId
  }

  async call(path: string, init: RequestInit = {}): Promise<RestAnswer> {
    const response = await fetch(`${this.base}${path}`, init)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    return { status: response.status, body: isJson ? JSON.parse(text) : undefined, text }
  }

  /** Asks until the answer is as expected, for half a minute. */
  async until(path: string, holds: (body: Json) => boolean): Promise<Json> {
    const deadlineMs = clock.monotonicMs() + 30_000
    for (;;) {
      const { body, text } = await this.call(path)
      if (holds(body)) return body
      if (clock.monotonicMs() > deadlineMs)
        throw new Error(`${path} does not become what was expected: ${text}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}
