import { type ExecFileException, execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { FLINK_VERSION, peerCache } from '../../benchmarks/nexmark/src/peer/flink-jars.ts'
import { javaTool } from '../../benchmarks/nexmark/src/peer/java-program.ts'

const MOST_MS = 120_000

function jars(): string {
  const { FLINK_PEER_HOME } = process.env
  return join(FLINK_PEER_HOME || join(peerCache(), `flink-${FLINK_VERSION}`), 'lib')
}

function distribution(): string {
  return join(jars(), `flink-dist-${FLINK_VERSION}.jar`)
}

/**
 * Why Apache Flink's own programs cannot be tried here; undefined: they can. They are downloaded (232 MB) by the
 * benchmarks that compare with Flink, never by tests.
 */
export function whyNoFlink(): string | undefined {
  if (process.env['FLINK_TEST_SYSTEM'] !== '1')
    return `needs Apache Flink ${FLINK_VERSION}: npm run test:flink`
  if (!existsSync(distribution()))
    return `needs ${distribution()}: npm run bench -- nexmark --peer flink fetches it, or set FLINK_PEER_HOME`
  try {
    execFileSync(javaTool('java'), ['-version'], { stdio: 'ignore', timeout: MOST_MS })
    return undefined
  } catch {
    return 'needs Java'
  }
}

/** What a program has said. */
export interface Said {
  readonly code: number
  readonly output: string
}

/** Runs `bin/flink` of Apache Flink, Java's class behind it, with the configuration of a folder. */
export function officialFlink(configuration: string, ...args: readonly string[]): Promise<Said> {
  const java = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=WARN']
  const program = ['-cp', join(jars(), '*'), 'org.apache.flink.client.cli.CliFrontend', ...args]
  return new Promise(resolve => {
    execFile(
      javaTool('java'),
      [...java, '--add-opens=java.base/java.lang=ALL-UNNAMED', ...program],
      { env: { ...process.env, FLINK_CONF_DIR: configuration, TZ: 'UTC' }, timeout: MOST_MS },
      (error: ExecFileException | null, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    )
  })
}

/** Unpacks the dashboard of Apache Flink below `folder`, and answers where its static files are. */
export function unpackDashboard(folder: string): string {
  mkdirSync(folder, { recursive: true })
  execFileSync('unzip', ['-q', '-o', distribution(), 'web/*', '-d', folder], { timeout: MOST_MS })
  return join(folder, 'web')
}
