import type { Readable } from 'node:stream'
import type { JobGraph } from '@flink-ts/jobgraph'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { InvalidParameter, NotOffered, UploadMissing, UploadTooLarge } from '../errors.ts'
import { planOf } from '../routes/job-routes.ts'
import { shown } from './shown.ts'

/** A program in the cluster that can be run. */
export interface UploadedProgram {
  readonly id: string
  /** That it was uploaded under. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly uploadedAt: number
  /** Its module that is evaluated. */
  readonly entry: string
}

/** How a program is to be run. */
export interface ProgramRunOptions {
  /** Undefined: the only one. */
  readonly entryClass: string | undefined
  readonly args: readonly string[]
  /** By Flink's keys: parallelism, snapshot to start from and what else the user sets. */
  readonly settings: Readonly<Record<string, string>>
  readonly jobId: string | undefined
}

/** Keeps uploaded programs and runs them. Errors of domain user say what is wrong with a request. */
export interface Programs {
  /** Takes the content to its end, wherever it goes; answers the id. */
  add(name: string, content: Readable): Promise<string>
  /** Latest first. */
  list(): Promise<readonly UploadedProgram[]>
  remove(id: string): Promise<void>
  /** Runs main up to its first execute. */
  plan(id: string, options: ProgramRunOptions): Promise<JobGraph>
  /** The same, and submits that job; answers its id. */
  run(id: string, options: ProgramRunOptions): Promise<string>
}

/** Larger bundles go the way of `flink run`, which sends them without HTTP. */
const MOST_UPLOAD_BYTES = 1024 ** 3

/**
 * Adds the routes of uploaded programs: job bundles where Flink has jars.
 * @param programs undefined: this server takes none
 */
export async function addProgramRoutes(app: FastifyInstance, programs: Programs | undefined): Promise<void> {
  const taking = (): Programs => {
    if (programs === undefined)
      throw NotOffered({
        what: 'Running programs by REST',
        remedy: 'set web.submit.enable: true on a cluster of processes, or run them by bin/flink run',
      })
    return programs
  }
  // Loaded late, as the server itself.
  const { default: multipart } = await import('@fastify/multipart')
  await app.register(multipart, {
    limits: { fileSize: MOST_UPLOAD_BYTES, files: 1, fields: 10, parts: 11, headerPairs: 100 },
  })
  app.get('/jars', async request => ({
    address: `http://${request.host}`,
    files: (await taking().list()).map(({ id, name, uploadedAt, entry }) => ({
      id,
      name,
      uploaded: uploadedAt,
      entry: [{ name: entry, description: null }],
    })),
  }))
  app.post('/jars/upload', async request => {
    const target = taking()
    const part = request.isMultipart() ? await request.file() : undefined
    if (part === undefined) throw UploadMissing({})
    const { filename, file } = part
    const tooLarge = (): boolean => file.truncated
    try {
      const id = await target.add(filename, file)
      if (!tooLarge()) return { filename: id, status: 'success' }
      await target.remove(id)
    } catch (error) {
      // What is cut off is no bundle either: that would be said instead.
      if (!tooLarge()) throw error
    }
    throw UploadTooLarge({ name: filename, maxBytes: MOST_UPLOAD_BYTES })
  })
  app.delete('/jars/:id', async request => {
    await taking().remove(idOf(request))
    return {}
  })
  app.post('/jars/:id/run', async request => ({
    jobid: await taking().run(idOf(request), optionsOf(request)),
  }))
  const plan = async (request: FastifyRequest): Promise<object> => ({
    plan: planOf(await taking().plan(idOf(request), optionsOf(request))),
  })
  app.get('/jars/:id/plan', plan)
  app.post('/jars/:id/plan', plan)
}

function idOf({ params }: FastifyRequest): string {
  return (params as { id: string }).id
}

/** From body and query: the body counts where both say something. */
function optionsOf({ query, body }: FastifyRequest): ProgramRunOptions {
  const given = { ...named(query as Fields), ...((body ?? {}) as Fields) }
  const text = (name: string): string | undefined => {
    const value = given[name]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return String(value)
    throw InvalidParameter({ name, value: shown(value), expected: 'a text' })
  }
  const parallelism = text('parallelism')
  if (parallelism !== undefined && !/^[1-9]\d{0,5}$/.test(parallelism))
    throw InvalidParameter({ name: 'parallelism', value: parallelism, expected: 'a whole number from 1' })
  const jobId = text('jobId')
  if (jobId !== undefined && !/^[0-9a-f]{32}$/.test(jobId))
    throw InvalidParameter({ name: 'jobId', value: jobId, expected: '32 lower-case hex characters' })
  const own = settingsOf(given['flinkConfiguration'])
  const settings = {
    'parallelism.default': parallelism,
    'execution.state-recovery.path': text('savepointPath'),
    'execution.state-recovery.ignore-unclaimed-state': text('allowNonRestoredState'),
    'execution.state-recovery.claim-mode': text('claimMode') ?? text('restoreMode'),
  }
  return {
    entryClass: text('entryClass'),
    args: argumentsOf(given),
    settings: { ...own, ...defined(settings) },
    jobId,
  }
}

type Fields = Readonly<Record<string, unknown>>

const BODY_NAMES: Readonly<Record<string, string>> = {
  'entry-class': 'entryClass',
  'program-args': 'programArgs',
  programArg: 'programArgsList',
}

/** Query parameters under the names that bodies have for the same. */
function named(query: Fields): Fields {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [BODY_NAMES[name] ?? name, value]))
}

function defined(settings: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

function settingsOf(given: unknown): Record<string, string> {
  if (given === undefined || given === null) return {}
  const entries = Object.entries(given)
  if (typeof given !== 'object' || entries.some(([, value]) => typeof value !== 'string'))
    throw InvalidParameter({
      name: 'flinkConfiguration',
      value: shown(given),
      expected: 'an object of keys and texts',
    })
  return Object.fromEntries(entries) as Record<string, string>
}

/** A list, or one text with words between blanks, quoted where they have some. */
function argumentsOf(given: Fields): readonly string[] {
  const { programArgsList, programArgs } = given
  if (programArgsList !== undefined && programArgsList !== null) {
    const list = [programArgsList].flat()
    if (list.every(item => typeof item === 'string')) return list
    throw InvalidParameter({
      name: 'programArgsList',
      value: shown(programArgsList),
      expected: 'a list of texts',
    })
  }
  if (typeof programArgs !== 'string') return []
  const words = programArgs.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)
  return [...words].map(([, double, single, plain]) => double ?? single ?? plain ?? '')
}
