import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Clock, deserializeError, isFlinkError, type SerializedError } from '@flink-ts/common'
import { ProgramEnded, ProgramFailed, ProgramTimedOut } from '../errors.ts'
import type { ProgramAnswer, ProgramRequest } from './program-protocol.ts'

/** What main may take until it calls execute. */
const TIMEOUT_MS = 60_000
/** So much of what it prints is kept for messages. */
const OUTPUT_CHARACTERS = 4000

/** The answer of a process that fails. */
export type ProgramOutcome = Exclude<ProgramAnswer, { readonly type: 'failed' }>

/** What the process may take to end after its answer, or when it is asked to. */
const END_TIMEOUT_MS = 5000

/**
 * Runs the main of a program in a process of its own, which ends with its answer: user code has no place in the
 * JobManager. Rejects with what main has thrown, `cluster.program-ended` or `cluster.program-timed-out`.
 * @param options name: for messages; temporaryFolder: of the process, there when it is ended by force
 */
export async function runProgram(
  request: ProgramRequest,
  options: { readonly name: string; readonly temporaryFolder: string },
  dependencies: { readonly clock: Clock },
): Promise<ProgramOutcome> {
  const { clock } = dependencies
  const child = spawn(process.execPath, [...process.execArgv, programMain()], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, TMPDIR: options.temporaryFolder },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS)
    })
  }
  const end = (): void => {
    child.kill('SIGTERM')
    const forced = clock.schedule(END_TIMEOUT_MS, () => child.kill('SIGKILL'), { unref: true })
    child.once('close', () => forced.cancel())
  }
  let timedOut = false
  const timer = clock.schedule(TIMEOUT_MS, () => {
    timedOut = true
    end()
  })
  const program = options.name
  try {
    const answer = await answerOf(child, request)
    if (answer.type === 'failed') throw failureOf(program, answer.error)
    return answer
  } catch (error) {
    if (timedOut) throw ProgramTimedOut({ program, timeoutMs: TIMEOUT_MS, output: output.trim() })
    if (error instanceof Ended) throw ProgramEnded({ program, reason: error.message, output: output.trim() })
    throw error
  } finally {
    timer.cancel()
    // By itself it ends at once, and removes what it has made.
    const late = clock.schedule(END_TIMEOUT_MS, end, { unref: true })
    child.once('close', () => late.cancel())
  }
}

/** What went wrong between this process and the cluster stays what it is. */
function failureOf(program: string, thrown: SerializedError): Error {
  const error = deserializeError(thrown)
  if (isFlinkError(error) && error.domain !== 'user') return error
  return ProgramFailed({ program, reason: error.message }, error)
}

class Ended extends Error {}

function answerOf(child: ChildProcess, request: ProgramRequest): Promise<ProgramAnswer> {
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as ProgramAnswer))
    child.once('error', error => reject(new Ended(`its process could not be started: ${error.message}`)))
    child.once('close', (code, signal) =>
      reject(new Ended(signal === null ? `exit code ${code}` : `ended by ${signal}`)),
    )
    child.send(request, error => {
      // Its end is told by the other events.
      if (error !== null) child.kill('SIGKILL')
    })
  })
}

/** Sources run as they are, built packages from `dist`. */
function programMain(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`../entrypoint/program-main.${extension}`, import.meta.url))
}
