import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The release that is compared with. */
export const FLINK_VERSION = '1.20.5'

/** The source distribution, which has all jars. */
const PACKAGE = `apache-flink-libraries==${FLINK_VERSION}`
const SHA256 = 'e6aee62ea1a1fe7b32e28894ad079f3f1a50a372a4caac3df52405267f4228c8'
const COMMAND_TIMEOUT_MS = 1_800_000

/** Where the peer and what is made for it are kept: `FLINK_PEER_CACHE`, else below the user's cache folder. */
export function peerCache(environment: NodeJS.ProcessEnv = process.env): string {
  const caches = environment['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return environment['FLINK_PEER_CACHE'] || join(caches, 'flink-ts-peer')
}

/**
 * Folder of the jars of Apache Flink: `lib` of `FLINK_PEER_HOME`, if that is set, else of the cache, where pip downloads
 * them from PyPI (232 MB) when they are first needed.
 * @throws Error that says what to install or to set
 */
export function flinkJars(environment: NodeJS.ProcessEnv = process.env): string {
  const home = environment['FLINK_PEER_HOME']
  const lib = join(home || join(peerCache(environment), `flink-${FLINK_VERSION}`), 'lib')
  if (!home && !existsSync(lib)) download(join(lib, '..'))
  const version = versionIn(lib)
  if (version === undefined) {
    throw new Error(
      `There is no flink-dist-${FLINK_VERSION}.jar in ${lib}: ${home ? 'set FLINK_PEER_HOME to a folder of Flink, or not at all' : 'remove the folder, so that it is fetched again'}`,
    )
  }
  if (version !== FLINK_VERSION) {
    throw new Error(
      `${lib} has Flink ${version}, but the comparison is with ${FLINK_VERSION}: set FLINK_PEER_HOME to such a folder, or not at all`,
    )
  }
  return lib
}

function versionIn(lib: string): string | undefined {
  if (!existsSync(lib)) return undefined
  return readdirSync(lib)
    .map(name => /^flink-dist-(.*)\.jar$/.exec(name)?.[1])
    .find(version => version !== undefined)
}

/** The folder appears whole or not at all. */
function download(folder: string): void {
  const cache = join(folder, '..')
  mkdirSync(cache, { recursive: true })
  const staging = mkdtempSync(join(cache, 'download-'))
  try {
    console.log(`Fetching Apache Flink ${FLINK_VERSION} from PyPI (232 MB) into ${folder}`)
    const requirements = join(staging, 'requirements.txt')
    writeFileSync(requirements, `${PACKAGE} --hash=sha256:${SHA256}\n`)
    const source = ['--no-deps', '--no-binary', ':all:', '--require-hashes', '-r', requirements]
    run('python3', ['-m', 'pip', 'download', '--quiet', ...source, '-d', staging])
    const archive = readdirSync(staging).find(name => name.endsWith('.tar.gz'))
    if (archive === undefined) throw new Error(`pip left no archive in ${staging}`)
    const unpacked = join(staging, 'unpacked')
    mkdirSync(unpacked)
    const jars = ['--strip-components=2', '--wildcards', '*/deps/lib/*']
    run('tar', ['-xzf', join(staging, archive), '-C', unpacked, ...jars])
    renameSync(unpacked, folder)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

function run(program: string, args: readonly string[]): void {
  try {
    execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], timeout: COMMAND_TIMEOUT_MS })
  } catch (cause) {
    throw new Error(
      `Apache Flink was not fetched, '${program} ${args.join(' ')}' failed: it takes python3 with pip, tar and a way to PyPI. Or set FLINK_PEER_HOME to the folder of a Flink ${FLINK_VERSION}`,
      { cause },
    )
  }
}
