import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Configuration, checkKeys, isFlinkError } from '@flink-ts/common'
import { CONFIGURATION_FILES, configurationFile } from '@flink-ts/common/configuration-file'
import { configurationDir, loadedConfiguration, type SessionOptions } from '../session.ts'

/** One result of a check. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem'
  /** What was looked at. */
  readonly about: string
  readonly text: string
  /** What to do about it. */
  readonly remedy?: string
}

/** Finds and reads the configuration file, and looks at its keys. The configuration is undefined if it cannot be read. */
export function checkConfiguration(options: SessionOptions): {
  readonly configuration: Configuration | undefined
  readonly findings: readonly Finding[]
} {
  const findings: Finding[] = []
  const about = 'configuration'
  const dir = configurationDir()
  try {
    const configuration = loadedConfiguration(options)
    const file = dir === undefined ? undefined : configurationFile(dir)
    findings.push({
      level: 'ok',
      about,
      text: file === undefined ? 'no file, defaults only' : `${file}, ${configuration.keys().length} keys`,
    })
    const others = CONFIGURATION_FILES.map(name => join(dir ?? '', name)).filter(
      path => dir !== undefined && path !== file && existsSync(path),
    )
    for (const other of others) {
      findings.push({
        level: 'warning',
        about,
        text: `${other} is not read, because ${file} is there.`,
        remedy: 'Remove one of them.',
      })
    }
    for (const { kind, message } of checkKeys(configuration)) {
      findings.push({ level: kind === 'unknown' ? 'problem' : 'warning', about, text: message })
    }
    return { configuration, findings }
  } catch (error) {
    if (!isFlinkError(error)) throw error
    return { configuration: undefined, findings: [{ level: 'problem', about, text: error.message }] }
  }
}
