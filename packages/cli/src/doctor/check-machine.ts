import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHECKPOINTS_DIRECTORY, type Configuration } from '@flink-ts/common'
import { fileSystemFor } from '@flink-ts/filesystem'
import type { Finding } from './check-configuration.ts'
import { checkStorage } from './check-storage.ts'

const OLDEST_NODE = [24, 8] as const
const LITTLE_SPACE_BYTES = 2 ** 30

/** Node.js, cores, and whether the folders of the configuration can be written. */
export async function checkMachine(configuration: Configuration): Promise<readonly Finding[]> {
  const values = configuration.toRecord()
  const findings = [checkNode(process.versions.node), checkSlots(values['taskmanager.numberOfTaskSlots'])]
  const checkpoints = configuration.get(CHECKPOINTS_DIRECTORY)
  if (checkpoints === '') {
    findings.push({
      level: 'ok',
      about: 'checkpoints',
      text: 'no folder is set; jobs that take checkpoints need one',
    })
  } else if (/^(file:|\/)/.test(checkpoints)) {
    const path = checkpoints.startsWith('file:') ? fileURLToPath(checkpoints) : checkpoints
    findings.push(...checkFolder('checkpoints', path, 'execution.checkpointing.dir'))
  } else {
    findings.push(
      await checkStorage('checkpoints', checkpoints, 'execution.checkpointing.dir', fileSystemFor),
    )
  }
  findings.push(...checkFolder('temporary files', values['io.tmp.dirs'] || tmpdir(), 'io.tmp.dirs'))
  const home = process.env['FLINK_HOME']
  const logs = process.env['FLINK_LOG_DIR'] || values['env.log.dir'] || (home && join(home, 'log'))
  if (logs) findings.push(...checkFolder('logs', logs, 'FLINK_LOG_DIR or env.log.dir'))
  const pids = process.env['FLINK_PID_DIR'] || values['env.pid.dir'] || '/tmp'
  findings.push(...checkFolder('process ids', pids, 'FLINK_PID_DIR or env.pid.dir'))
  return findings
}

/** @param version without the v */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const supported = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  const about = 'Node.js'
  if (supported) return { level: 'ok', about, text: version }
  return {
    level: 'problem',
    about,
    text: `${version} is too old: ${OLDEST_NODE.join('.')} or newer is needed.`,
    remedy: 'Run npm ci in the installation for the pinned one, or set FLINK_NODE to a newer one.',
  }
}

function checkSlots(slots: string | undefined): Finding {
  const cores = availableParallelism()
  const about = 'slots'
  const number = Number(slots ?? 1)
  if (!(number > cores))
    return { level: 'ok', about, text: `${number} for each TaskManager, ${cores} cores here` }
  return {
    level: 'warning',
    about,
    text: `taskmanager.numberOfTaskSlots is ${number}, but this machine has ${cores} cores.`,
    remedy: 'A slot is a thread that can keep a core busy: more slots than cores only share them.',
  }
}

/** Writes and removes a small file. Folders that are made for it are removed, too. */
export function checkFolder(about: string, path: string, key: string): readonly Finding[] {
  const remedy = `Give this user the right to write there, or set ${key} to another folder.`
  let existing = path
  while (!existsSync(existing)) existing = dirname(existing)
  if (!statSync(existing).isDirectory()) {
    return [{ level: 'problem', about, text: `${existing} is no folder.`, remedy: `Set ${key} to a folder.` }]
  }
  const made = existing === path ? undefined : firstBelow(existing, path)
  try {
    mkdirSync(path, { recursive: true })
    const probe = join(path, `.flink-doctor-${randomUUID()}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return [{ level: 'problem', about, text: `${path} cannot be written (${code}).`, remedy }]
  } finally {
    if (made !== undefined) rmSync(made, { recursive: true, force: true })
  }
  const { bavail, bsize } = statfsSync(existing)
  const freeBytes = bavail * bsize
  const free = `${(freeBytes / 2 ** 30).toFixed(1)} GB free`
  if (freeBytes >= LITTLE_SPACE_BYTES) return [{ level: 'ok', about, text: `${path}, ${free}` }]
  return [{ level: 'warning', about, text: `${path}: only ${free}.`, remedy: `Make room, or set ${key}.` }]
}

/** The folder directly in `existing` on the way to `path`. */
function firstBelow(existing: string, path: string): string {
  let folder = path
  while (dirname(folder) !== existing) folder = dirname(folder)
  return folder
}
