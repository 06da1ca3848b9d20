import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Clock, type Configuration, newId, type Random } from '@flink-ts/common'
import { type BundleManifest, extractBundle, findRuntimeModuleDirs, type JobGraph } from '@flink-ts/jobgraph'
import type { ProgramRunOptions, Programs, UploadedProgram } from '@flink-ts/rest'
import { EntryClassUnknown, ProgramNotFound, UploadNameInvalid } from '../errors.ts'
import { type ProgramOutcome, runProgram } from './program-process.ts'
import type { ProgramRequest } from './program-protocol.ts'

/** A plain file name: what clients send never leads anywhere else. */
const NAME = /^[a-z0-9][\w.-]{0,200}\.(tgz|tar\.gz)$/i
const ID = /^[0-9a-f]{32}_[a-z0-9][\w.-]{0,200}\.(tgz|tar\.gz)$/i

export interface UploadedProgramsOptions {
  /** Folder of uploads; made if it is missing. */
  readonly folder: string
  /** Of the cluster. */
  readonly configuration: Configuration
  readonly jobManagerAddress: () => string
  /** Of this process; made if it is missing. */
  readonly temporaryFolder: string
}

/**
 * Programs that were uploaded, as files in a folder, and the processes that run them. Names are `<id>_<name>`; what else
 * lies there is left alone. JobManager main thread.
 */
export class UploadedPrograms implements Programs {
  readonly #options: UploadedProgramsOptions
  readonly #ports: { readonly clock: Clock; readonly random: Random }
  /** Of each bundle, by id: a bundle never changes. */
  readonly #manifests = new Map<string, BundleManifest>()

  constructor(
    options: UploadedProgramsOptions,
    dependencies: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#options = options
    this.#ports = dependencies
  }

  async add(name: string, content: Readable): Promise<string> {
    if (!NAME.test(name)) {
      content.resume()
      throw UploadNameInvalid({ name })
    }
    const { folder } = this.#options
    await mkdir(folder, { recursive: true })
    const id = `${newId<string>(this.#ports.random)}_${name}`
    const temporary = join(folder, `${id}.part`)
    try {
      await pipeline(content, createWriteStream(temporary, { flags: 'wx', mode: 0o600 }))
      // Refused now rather than when it is to run.
      this.#manifests.set(id, await manifestOf(temporary, join(folder, `${id}.check`)))
      await rename(temporary, join(folder, id))
    } catch (error) {
      this.#manifests.delete(id)
      await rm(temporary, { force: true })
      throw error
    }
    return id
  }

  async list(): Promise<readonly UploadedProgram[]> {
    let names: readonly string[]
    try {
      names = await readdir(this.#options.folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
    const programs = await Promise.all(names.filter(name => ID.test(name)).map(id => this.#describe(id)))
    return programs.flat().sort((a, b) => b.uploadedAt - a.uploadedAt)
  }

  async remove(id: string): Promise<void> {
    await rm(await this.#fileOf(id))
    this.#manifests.delete(id)
  }

  async plan(id: string, options: ProgramRunOptions): Promise<JobGraph> {
    const outcome = await this.#run('plan', id, options)
    return (outcome as ProgramOutcome & { type: 'planned' }).graph
  }

  async run(id: string, options: ProgramRunOptions): Promise<string> {
    const outcome = await this.#run('run', id, options)
    return (outcome as ProgramOutcome & { type: 'submitted' }).jobId
  }

  async #run(type: ProgramRequest['type'], id: string, options: ProgramRunOptions): Promise<ProgramOutcome> {
    const bundleFile = await this.#fileOf(id)
    const { entry } = await this.#manifest(id)
    const { entryClass, args, settings, jobId } = options
    if (entryClass !== undefined && entryClass !== entry)
      throw EntryClassUnknown({ given: entryClass, entry })
    const { configuration, jobManagerAddress, temporaryFolder } = this.#options
    await mkdir(temporaryFolder, { recursive: true })
    return await runProgram(
      {
        ...{ type, bundleFile, args, jobId },
        configuration: { ...configuration.toRecord(), ...settings },
        jobManagerAddress: jobManagerAddress(),
      },
      { name: id.slice(id.indexOf('_') + 1), temporaryFolder },
      this.#ports,
    )
  }

  async #describe(id: string): Promise<UploadedProgram[]> {
    try {
      const { mtimeMs } = await stat(join(this.#options.folder, id))
      const { entry } = await this.#manifest(id)
      return [{ id, name: id.slice(id.indexOf('_') + 1), uploadedAt: Math.round(mtimeMs), entry }]
    } catch (error) {
      // Deleted meanwhile.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  async #manifest(id: string): Promise<BundleManifest> {
    const known = this.#manifests.get(id)
    if (known !== undefined) return known
    const { folder } = this.#options
    const check = `${id}.${newId<string>(this.#ports.random)}.check`
    const manifest = await manifestOf(join(folder, id), join(folder, check))
    this.#manifests.set(id, manifest)
    return manifest
  }

  /** @throws cluster.program-not-found */
  async #fileOf(id: string): Promise<string> {
    const names = ID.test(id) ? await this.list() : []
    if (!names.some(program => program.id === id)) throw ProgramNotFound({ id })
    return join(this.#options.folder, id)
  }
}

/** Unpacks the bundle once, which checks it as a whole, and leaves nothing behind. */
async function manifestOf(file: string, folder: string): Promise<BundleManifest> {
  try {
    return (await extractBundle(file, folder, { runtimeModuleDirs: findRuntimeModuleDirs() })).manifest
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
