import { StackTree, type TaskProfile } from '@flink-ts/gateways'
import { type CpuProfile, SourcePositions } from '../thread/source-positions.ts'
import { ownerOfFunction } from '../thread/task-function-name.ts'

/** What of the names of V8 for time without JavaScript is said to people. */
const OUTSIDE: Readonly<Record<string, string>> = {
  '(idle)': 'waits for records, or for room in its outputs',
  '(program)': 'native code of the slot thread',
}
const COLLECTOR = '(garbage collector)'

/** Profiles of slot threads as those of one vertex. Owner: the caller. */
export class TaskProfileBuilder {
  readonly #vertexId: string
  readonly #stackDepth: number
  readonly #onCpu = new StackTree()
  readonly #offCpu = new StackTree()

  constructor(options: { readonly vertexId: string; readonly stackDepth: number }) {
    this.#vertexId = options.vertexId
    this.#stackDepth = options.stackDepth
  }

  /**
   * Adds the profile of a thread. A slot runs a task of each vertex: each call belongs to the innermost one on the stack,
   * which functions of its own tell.
   * @param profileText of V8's profiler, as JSON
   * @param moduleUrl of the job's code
   */
  add(profileText: string, moduleUrl: string): void {
    const { nodes, samples = [] } = JSON.parse(profileText) as CpuProfile
    const positions = new SourcePositions(moduleUrl)
    const byId = new Map(nodes.map(node => [node.id, node]))
    const parents = new Map(
      nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id] as const)),
    )
    const counts = new Map<number, number>()
    for (const id of samples) counts.set(id, (counts.get(id) ?? 0) + 1)
    for (const [leaf, count] of counts) {
      const path: string[] = []
      let owner: 'this' | 'other' | undefined
      for (let id: number | undefined = leaf; id !== undefined && owner === undefined; id = parents.get(id)) {
        const frame = byId.get(id)?.callFrame
        if (frame === undefined || frame.functionName === '(root)') continue
        owner = ownerOfFunction(frame.functionName, this.#vertexId)
        if (owner === undefined) path.push(positions.describe(frame))
      }
      const { functionName = '' } = byId.get(leaf)?.callFrame ?? {}
      if (owner === 'this') this.#onCpu.add(path.reverse().slice(0, this.#stackDepth), count)
      // The garbage of all tasks of the slot: nobody can say whose.
      else if (functionName === COLLECTOR) this.#onCpu.add(['garbage collection of the slot'], count)
      else if (owner === 'other') this.#offCpu.add(['waits for other tasks of its slot'], count)
      else this.#offCpu.add([OUTSIDE[functionName] ?? 'other work of the slot thread'], count)
    }
  }

  build(): TaskProfile {
    return { onCpu: this.#onCpu.toNode('root'), offCpu: this.#offCpu.toNode('root') }
  }
}
