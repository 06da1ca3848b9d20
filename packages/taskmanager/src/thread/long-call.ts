import { type CpuProfile, SourcePositions } from './source-positions.ts'

/** What a thread is in, as people look for it: `processElement (src/job.ts:42)`. */
export interface LongCall {
  /** The function of the user's that the engine has called. */
  readonly call: string
  /** Where in it most of the time goes. */
  readonly at: string
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
  const positions = new SourcePositions(moduleUrl)
  const isUsers = (id: number): boolean => {
    const frame = byId.get(id)?.callFrame
    return frame !== undefined && positions.isUsers(frame)
  }
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
  const describe = (id: number): string => positions.describe(byId.get(id)!.callFrame)
  return { call: describe(call), at: describe(at) }
}

function mostOf(counts: ReadonlyMap<number, number>): readonly [number | undefined, number] {
  let most: readonly [number | undefined, number] = [undefined, 0]
  for (const entry of counts) if (entry[1] > most[1]) most = entry
  return most
}
