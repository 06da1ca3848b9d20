import { resolve } from 'node:path'
import type { ClusterClient } from '@flink-ts/client'
import type { JobId } from '@flink-ts/common'
import { SavepointArguments } from '../errors.ts'
import { configurationFor, connect, parseJobId, type SessionOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export interface SavepointOptions extends SessionOptions {
  /** Path of the savepoint to remove. */
  readonly dispose?: string
  readonly detached?: boolean
}

export interface StopOptions extends SessionOptions {
  readonly savepointPath?: string
  readonly drain?: boolean
  readonly detached?: boolean
}

type Stop = Parameters<ClusterClient['triggerSavepoint']>[1]['stop']

/** `flink savepoint <jobId> [directory]`, `flink savepoint -d <path>`. */
export async function savepointCommand(
  jobId: string | undefined,
  directory: string | undefined,
  options: SavepointOptions,
  terminal: Terminal,
): Promise<void> {
  const { dispose } = options
  if ((jobId === undefined) === (dispose === undefined)) throw SavepointArguments({})
  if (dispose === undefined) {
    const id = parseJobId(jobId as string)
    terminal.print(`Triggering savepoint for job ${id}.`)
    const location = await take(id, directory, 'no', options, terminal)
    if (location !== undefined)
      terminal.print('The job goes on. To start from the savepoint: flink run -s <path>')
    return
  }
  const path = absolute(dispose)
  const cluster = await connect(configurationFor(options), terminal)
  try {
    terminal.print(`Disposing savepoint '${path}'.`)
    await cluster.disposeSavepoint(path)
    terminal.print(`Savepoint '${path}' disposed.`)
  } finally {
    await cluster.close()
  }
}

/** `flink stop [-p directory] [-d] <jobId>`. */
export async function stopCommand(jobId: string, options: StopOptions, terminal: Terminal): Promise<void> {
  const id = parseJobId(jobId)
  const drain = options.drain === true
  terminal.print(`${drain ? 'Draining' : 'Suspending'} job ${id} with a savepoint.`)
  await take(id, options.savepointPath, drain ? 'drain' : 'suspend', options, terminal)
}

/** `flink cancel -s [directory] <jobId>`. */
export async function cancelWithSavepointCommand(
  jobId: string,
  directory: string | undefined,
  options: SessionOptions,
  terminal: Terminal,
): Promise<void> {
  const id = parseJobId(jobId)
  terminal.print(`Cancelling job ${id} with a savepoint.`)
  await take(id, directory, 'cancel', options, terminal)
  terminal.print(`Cancelled job ${id}.`)
}

/** Answers where it is; undefined: nobody waits for it. */
async function take(
  jobId: JobId,
  directory: string | undefined,
  stop: Stop,
  options: SessionOptions & { readonly detached?: boolean },
  terminal: Terminal,
): Promise<string | undefined> {
  const cluster = await connect(configurationFor(options), terminal)
  try {
    const request = { directory: directory === undefined ? undefined : absolute(directory), stop }
    if (options.detached === true) {
      const triggerId = await cluster.startSavepoint(jobId, request)
      terminal.print(
        `Trigger id: ${triggerId} (GET /jobs/${jobId}/savepoints/${triggerId} tells the outcome)`,
      )
      return undefined
    }
    terminal.print('Waiting for response...')
    const location = await cluster.triggerSavepoint(jobId, request)
    terminal.print(`Savepoint completed. Path: ${location}`)
    return location
  } finally {
    await cluster.close()
  }
}

/** Paths are meant here, and read by a process elsewhere: relative ones would be others there. */
function absolute(path: string): string {
  return /^[a-z][a-z0-9+.-]+:/i.test(path) ? path : resolve(path)
}
