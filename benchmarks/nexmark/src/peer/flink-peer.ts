import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { BLOCK_MS, preparedLines } from '../bench/prepared-events.ts'
import { FLINK_VERSION, flinkJars, peerCache } from './flink-jars.ts'
import { compiledProgram, javaTool, PEER_SOURCES } from './java-program.ts'

/** How a query is written for Flink. */
export type FlinkForm = 'sql' | 'datastream'

/** Queries that have no such form, or whose form does not run without more than jars (files of q10 need commits). */
const WITHOUT_DATASTREAM: ReadonlySet<string> = new Set(['q4', 'q5', 'q7', 'q8', 'q10'])

/** Runs of one process: those after the first are warm, and the best of them counts. */
const RUNS = 3
const RUN_TIMEOUT_MS = 900_000
const GIGABYTE = 2 ** 30
/** What is left for the system and for memory outside of the heap. */
const MOST_HEAP_GIGABYTES = 4

/** As Flink's own configuration has them for Java 17. */
const OPENS = [
  ...['lang', 'net', 'io', 'nio', 'lang.reflect', 'text', 'time', 'util', 'util.concurrent'],
  ...['util.concurrent.atomic', 'util.concurrent.locks'],
].map(name => `--add-opens=java.base/java.${name}=ALL-UNNAMED`)

/** Apache Flink on this machine: each run of a query is a Java process with Flink's cluster within it. */
export class FlinkPeer {
  readonly #jars = flinkJars()
  readonly #classes = compiledProgram(this.#jars, peerCache())
  readonly #folder = mkdtempSync(join(tmpdir(), 'nexmark-peer-'))
  readonly #heap = Math.max(1, Math.min(MOST_HEAP_GIGABYTES, Math.floor(totalmem() / GIGABYTE / 4)))

  /** What is compared with, for reports. */
  get about(): string {
    return `Apache Flink ${FLINK_VERSION}, ${this.#heap} GB of heap, the best of ${RUNS - 1} warm runs`
  }

  formsOf(query: string): readonly FlinkForm[] {
    const forms: FlinkForm[] = existsSync(sqlOf(query)) ? ['sql'] : []
    return WITHOUT_DATASTREAM.has(query) ? forms : [...forms, 'datastream']
  }

  /** Standard output of one process. */
  run(
    query: string,
    form: FlinkForm,
    options: { seed: number; events: number; parallelism: number; collector: string },
  ): string {
    const { seed, events, parallelism, collector } = options
    const file = join(this.#folder, `events-${seed}.jsonl`)
    if (!existsSync(file)) writeFileSync(file, [...preparedLines(seed), ''].join('\n'))
    const memory = [`-Xms${this.#heap}g`, `-Xmx${this.#heap}g`, `-XX:+Use${collector}GC`]
    const classPath = [this.#classes, join(this.#jars, '*')].join(':')
    const numbers = [BLOCK_MS, events, parallelism, RUNS].map(String)
    const args = [...memory, ...OPENS, '-cp', classPath, 'Peer', form, query, file, ...numbers]
    return execFileSync(javaTool('java'), form === 'sql' ? [...args, sqlOf(query)] : args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: RUN_TIMEOUT_MS,
      maxBuffer: 64 << 20,
    })
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const sqlOf = (query: string): string => join(PEER_SOURCES, 'sql', `${query}.sql`)
