import { existsSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

/** What a thread is in, as people look for it: `processElement (src/job.ts:42)`. */
export interface LongCall {
  /** The function of the user's that the engine has called. */
  readonly call: string
  /** Where in it most of the time goes. */
  readonly at: string
}

interface CallFrame {
  readonly functionName: string
  readonly url: string
  /** From 0. */
  readonly lineNumber: number
  /** From 0. */
  readonly columnNumber: number
}

/** What V8's profiler gives, as far as it is needed. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  readonly samples?: readonly number[]
}

/**
 * The call that a profile of a thread shows, of code of the module; undefined: it was in none, or not most of the time.
 * @param profileText of V8's profiler, as JSON
 * @param moduleUrl of the job's code; positions are told by its source map, if it has one
 */
export function longCallOf(profileText: string, moduleUrl: string): LongCall | undefined {
  const { nodes, samples = [] } = JSON.parse(profileText) as CpuProfile
  const byId = new Map(nodes.map(node => [node.id, node]))
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id] as const)),
  )
  const isUsers = (id: number | undefined): boolean =>
    id !== undefined && byId.get(id)?.callFrame.url.split('?')[0] === moduleUrl
  const outermost = new Map<number, number>()
  const innermost = new Map<number, number>()
  for (const sample of samples) {
    let inner: number | undefined
    let outer: number | undefined
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      if (!isUsers(id)) continue
      inner ??= id
      outer = id
    }
    if (inner === undefined || outer === undefined) continue
    outermost.set(outer, (outermost.get(outer) ?? 0) + 1)
    innermost.set(inner, (innermost.get(inner) ?? 0) + 1)
  }
  const [call, calls] = mostOf(outermost)
  const [at] = mostOf(innermost)
  if (call === undefined || at === undefined || calls * 2 < samples.length) return undefined
  const map = sourceMapOf(moduleUrl)
  const describe = (id: number): string => describeFrame(byId.get(id)!.callFrame, moduleUrl, map)
  return { call: describe(call), at: describe(at) }
}

function mostOf(counts: ReadonlyMap<number, number>): readonly [number | undefined, number] {
  let most: readonly [number | undefined, number] = [undefined, 0]
  for (const entry of counts) if (entry[1] > most[1]) most = entry
  return most
}

function describeFrame(frame: CallFrame, moduleUrl: string, map: SourceMap | undefined): string {
  const { functionName, lineNumber, columnNumber } = frame
  const name = functionName === '' ? 'a function' : functionName
  const entry = map?.findEntry(lineNumber, columnNumber)
  if (entry !== undefined && 'originalSource' in entry) {
    const folderUrl = moduleUrl.slice(0, moduleUrl.lastIndexOf('/') + 1)
    return `${name} (${entry.originalSource.replace(folderUrl, '')}:${entry.originalLine + 1})`
  }
  return `${name} (${moduleUrl.slice(moduleUrl.lastIndexOf('/') + 1)}:${lineNumber + 1})`
}

/** Undefined: the module is run as it was written. */
function sourceMapOf(moduleUrl: string): SourceMap | undefined {
  if (!moduleUrl.startsWith('file:')) return undefined
  const file = `${fileURLToPath(moduleUrl)}.map`
  return existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8')) as never) : undefined
}
