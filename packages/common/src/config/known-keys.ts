import { readFileSync } from 'node:fs'
import type { Configuration } from './configuration.ts'

/** An option of this version, as the sources declare it. Written by `npm run generate`. */
export interface KnownOption {
  readonly key: string
  /** As text; empty: none. */
  readonly defaultValue: string
  /** Values in words. */
  readonly expected: string
  readonly description: string
  readonly deprecatedKeys: readonly string[]
}

/** What is to be said about one key. */
export type KeyExplanation =
  | { readonly kind: 'option'; readonly option: KnownOption; readonly byOlderName: boolean }
  /** A key of Apache Flink that has no effect here. */
  | { readonly kind: 'without-effect'; readonly reason: string; readonly flinkDefault: string }
  /** Neither ours nor Flink's; `nearest` may be what was meant. */
  | { readonly kind: 'unknown'; readonly nearest: string | undefined }

/** A key of a configuration that should be changed or removed, in one sentence. */
export interface KeyFinding {
  readonly key: string
  readonly kind: 'older-name' | 'without-effect' | 'unknown'
  readonly message: string
}

// The last column of flink-keys.tsv, in words.
const REASONS = {
  jvm: 'there is no Java virtual machine; options of Node.js go into env.java.opts.all or NODE_OPTIONS',
  actors: 'the processes talk gRPC, not through an actor system',
  netty: 'connections are those of Node.js, not of Netty',
  memory:
    'Node.js sizes its memory itself: taskmanager.memory.task.heap.size bounds a slot, taskmanager.memory.network.* the channels',
  serializers: 'records are encoded by their schema, not by Kryo, Avro or POJO serializers',
  batch:
    'BATCH mode exchanges records as STREAMING does: there is no blocking shuffle and no batch scheduler',
  table: 'there is no Table API and no SQL',
  python: 'programs are TypeScript, not Python',
  yarn: 'there is no YARN driver; bin/taskmanager.sh adds TaskManagers',
  mesos: 'there is no Mesos driver; bin/taskmanager.sh adds TaskManagers',
  kubernetes: 'there is no Kubernetes driver; run the image as any other container',
  hadoop: 'there are no Hadoop libraries and no Kerberos login',
  backend: 'this version has no state backend with this setting',
  ha: 'this version has one JobManager and no leader election',
  tls: 'this version has no TLS with this setting',
  metrics: 'this version has no such reporter or metric setting',
  storage: 'this version has no file system with this setting',
  part: 'it is no key by itself, but part of longer ones, such as metrics.reporter.<name>.port',
  later: 'this version does not have it',
} as const

interface FlinkKey {
  readonly key: string
  readonly flinkDefault: string
  readonly reason: string
}

interface KeyTable {
  /** By key and by older names. */
  readonly options: ReadonlyMap<string, KnownOption>
  readonly flinkKeys: ReadonlyMap<string, FlinkKey>
  /** Flink keys with parts that the user names, `metrics.reporter.<name>.interval`. */
  readonly patterns: readonly { readonly pattern: RegExp; readonly flinkKey: FlinkKey }[]
}

// Read when the first question comes; never changed. Owner: this module, one instance for each thread.
let table: KeyTable | undefined

const dataFile = (name: string): string =>
  readFileSync(new URL(`../../data/${name}`, import.meta.url), 'utf8')

function keyTable(): KeyTable {
  table ??= readKeyTable()
  return table
}

function readKeyTable(): KeyTable {
  const options = new Map<string, KnownOption>()
  for (const option of JSON.parse(dataFile('options.json')) as readonly KnownOption[]) {
    for (const key of [option.key, ...option.deprecatedKeys]) options.set(key, option)
  }
  const flinkKeys = new Map<string, FlinkKey>()
  const patterns: { pattern: RegExp; flinkKey: FlinkKey }[] = []
  for (const line of dataFile('flink-keys.tsv').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [key = '', older = '', flinkDefault = '', why = ''] = line.split('\t')
    const flinkKey = { key, flinkDefault, reason: REASONS[why as keyof typeof REASONS] }
    for (const name of [key, ...older.split(' ').filter(Boolean)]) {
      if (!name.includes('<')) {
        // An older name may be a key of its own.
        if (name === key || !flinkKeys.has(name)) flinkKeys.set(name, flinkKey)
        continue
      }
      const parts = name.split(/<[^>]*>/).map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      // At the end such a part may stand for several.
      const last = name.endsWith('>') ? `${parts.slice(0, -1).join('[^.]+')}.+` : parts.join('[^.]+')
      patterns.push({ pattern: new RegExp(`^${last}$`), flinkKey })
    }
  }
  return { options, flinkKeys, patterns }
}

/** Every option of this version. */
export function knownOptions(): readonly KnownOption[] {
  return [...new Set(keyTable().options.values())]
}

/** What a key means here. Reads two small files at the first call. */
export function explainKey(key: string): KeyExplanation {
  const { options, flinkKeys, patterns } = keyTable()
  const option = options.get(key)
  if (option !== undefined) return { kind: 'option', option, byOlderName: option.key !== key }
  const flinkKey = flinkKeys.get(key) ?? patterns.find(({ pattern }) => pattern.test(key))?.flinkKey
  if (flinkKey !== undefined) {
    const newer = options.get(flinkKey.key)
    // An older name of an option that nobody declared as such: say which is read.
    const reason = newer === undefined ? flinkKey.reason : `it is an older name of ${newer.key}; use that`
    return { kind: 'without-effect', reason, flinkDefault: flinkKey.flinkDefault }
  }
  return { kind: 'unknown', nearest: nearest(key, [...options.keys(), ...flinkKeys.keys()]) }
}

/**
 * What is to be changed in a configuration: keys by an older name, keys of Flink without effect, unknown keys. In the
 * order of the configuration.
 */
export function checkKeys(configuration: Configuration): readonly KeyFinding[] {
  const findings: KeyFinding[] = []
  for (const key of configuration.keys()) {
    const explanation = explainKey(key)
    const place = configuration.source(key)
    switch (explanation.kind) {
      case 'option':
        if (!explanation.byOlderName) break
        findings.push({
          key,
          kind: 'older-name',
          message: `${key} (${place}) is an older name: write ${explanation.option.key}.`,
        })
        break
      case 'without-effect':
        findings.push({
          key,
          kind: 'without-effect',
          message: `${key} (${place}) has no effect: ${explanation.reason}.`,
        })
        break
      case 'unknown': {
        const hint = explanation.nearest === undefined ? 'remove it.' : `did you mean ${explanation.nearest}?`
        findings.push({ key, kind: 'unknown', message: `${key} (${place}) is no known key: ${hint}` })
      }
    }
  }
  return findings
}

/**
 * The word that most likely was meant by `text`; undefined: none is near. The first of equally near ones.
 * @param limit of mistakes, exclusive; by default one in four letters is allowed
 */
export function nearest(
  text: string,
  words: readonly string[],
  limit = Math.floor(text.length / 4) + 1,
): string | undefined {
  let best: string | undefined
  let least = limit
  for (const word of words) {
    const distance = editDistance(text, word, least)
    if (distance < least) {
      best = word
      least = distance
    }
  }
  return best
}

/** Letters to insert, remove, replace or swap with their neighbour; `limit` stands for all from there on. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let leastOfRow = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      }
      row.push(cost)
      leastOfRow = Math.min(leastOfRow, cost)
    }
    if (leastOfRow >= limit) return limit
    beforeLast = last
    last = row
  }
  return Math.min(limit, last[b.length]!)
}
