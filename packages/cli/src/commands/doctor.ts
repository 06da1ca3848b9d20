import { isFlinkError } from '@flink-ts/common'
import { checkCluster } from '../doctor/check-cluster.ts'
import { checkConfiguration, type Finding } from '../doctor/check-configuration.ts'
import { checkHosts } from '../doctor/check-hosts.ts'
import { checkMachine } from '../doctor/check-machine.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { configurationDir, type SessionOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export interface DoctorOptions extends SessionOptions {
  readonly json?: boolean
}

const MARKS = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' } as const

/**
 * `flink doctor`: looks at Node.js, the configuration, ports, storage and the cluster, changes nothing, and says of each
 * finding what to do. Answers the exit code: 1 if there is a problem; warnings are none.
 */
export async function doctorCommand(options: DoctorOptions, terminal: Terminal): Promise<number> {
  const findings: Finding[] = []
  const say = (found: readonly Finding[]): void => {
    findings.push(...found)
    if (options.json === true) return
    for (const { level, about, text, remedy } of found) {
      terminal.print(`${MARKS[level]}  ${about}: ${text}`)
      if (remedy !== undefined) terminal.print(`         -> ${remedy}`)
    }
  }
  const { configuration, findings: ofConfiguration } = checkConfiguration(options)
  say(ofConfiguration)
  if (configuration !== undefined) {
    try {
      say(await checkMachine(configuration))
      const { FLINK_HOME, FLINK_SSH_OPTS } = process.env
      const sshOptions = FLINK_SSH_OPTS || (configuration.toRecord()['env.ssh.opts'] ?? '')
      say(await checkHosts({ configurationDir: configurationDir(), home: FLINK_HOME, sshOptions }))
      say(await checkCluster(configuration))
    } catch (error) {
      // A value of the wrong type: every check reads its options.
      if (!isFlinkError(error)) throw error
      say([{ level: 'problem', about: 'configuration', text: error.message }])
    }
  }
  if (options.json === true) terminal.print(JSON.stringify(findings, null, 2))
  const problems = findings.filter(finding => finding.level === 'problem').length
  const warnings = findings.filter(finding => finding.level === 'warning').length
  if (options.json !== true) terminal.print(`Problems: ${problems}, warnings: ${warnings}`)
  return problems > 0 ? EXIT_CODES.failed : EXIT_CODES.ok
}
