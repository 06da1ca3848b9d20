import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** The Java program and the SQL texts of the other side. */
export const PEER_SOURCES = join(import.meta.dirname, '../../flink')

const COMPILER_TIMEOUT_MS = 300_000

/** `java` or `javac`: of `JAVA_HOME`, else on the PATH. */
export function javaTool(name: 'java' | 'javac', environment: NodeJS.ProcessEnv = process.env): string {
  const home = environment['JAVA_HOME']
  return home ? join(home, 'bin', name) : name
}

/**
 * Folder of the compiled program: made once for each text of the sources and each set of jars.
 * @throws Error that says what to install
 */
export function compiledProgram(jars: string, cache: string): string {
  const folder = join(PEER_SOURCES, 'src')
  const sources = readdirSync(folder)
    .filter(name => name.endsWith('.java'))
    .sort()
  const hash = createHash('sha256').update(jars)
  for (const name of sources) hash.update(name).update(readFileSync(join(folder, name)))
  const classes = join(cache, `classes-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(classes)) return classes
  mkdirSync(cache, { recursive: true })
  const staging = mkdtempSync(join(cache, 'classes-'))
  const compiler = javaTool('javac')
  try {
    const paths = sources.map(name => join(folder, name))
    const options = ['-nowarn', '-Xlint:-options', '-d', staging, '-cp', join(jars, '*')]
    execFileSync(compiler, [...options, ...paths], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: COMPILER_TIMEOUT_MS,
    })
    renameSync(staging, classes)
  } catch (cause) {
    throw new Error(
      `'${compiler}' did not compile the queries of the peer: it takes a JDK 11 or 17 (on Debian: apt-get install openjdk-17-jdk-headless) on the PATH, or JAVA_HOME set to one`,
      { cause },
    )
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  return classes
}
