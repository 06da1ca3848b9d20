import { type EdgePartitioner, type OperatorFactory, withBroadcastSets } from '@flink-ts/operators'
import { ForeignStream, InvalidArgument, NotParallel } from '../errors.ts'

/** Highest number of key groups, as in Flink. */
export const MAX_KEY_GROUPS = 32768

/** An output of a node on its way to a consumer. */
export interface Upstream {
  readonly node: StreamNode
  /** Undefined: the main output. */
  readonly outputTag: string | undefined
  /** Undefined: forward if both sides have the same parallelism, else rebalance. */
  readonly partitioner: EdgePartitioner | undefined
  /** Which input of the consumer it feeds; absent: the first. */
  readonly inputIndex?: 0 | 1
}

/** What is known of a node when it is added. */
export interface StreamNodeOptions {
  /** Name until the user gives one: `Map`. */
  readonly defaultName: string
  /** Given by the user with the call itself, as the name of a source. */
  readonly name?: string | undefined
  readonly factory: OperatorFactory
  readonly inputs: readonly Upstream[]
  /** Of the environment at this moment. */
  readonly parallelism: number
  /** Of the first input. */
  readonly keySelector?: ((value: never) => unknown) | undefined
  /** Of the second input. */
  readonly secondKeySelector?: ((value: never) => unknown) | undefined
  /** Runs in one subtask whatever is set. */
  readonly nonParallel?: boolean
  /** Called before the job is submitted: throws if something is missing. */
  readonly check?: (node: StreamNode) => void
  /** What runs instead in BATCH mode. Absent: the same factory. */
  readonly batch?: BatchForm
}

/** What an operator is in BATCH mode. */
export type BatchForm =
  | { readonly factory: () => OperatorFactory }
  /** Why it can only run in STREAMING mode, and what to do. */
  | { readonly impossible: string }

/** One operator of a {@link StreamGraph}: changed through the API until the job is executed. */
export class StreamNode {
  readonly graph: StreamGraph
  /** Replay index, from 1. */
  readonly id: number
  readonly factory: OperatorFactory
  /** By input. */
  readonly keySelectors: readonly (((value: never) => unknown) | undefined)[]
  readonly check: ((node: StreamNode) => void) | undefined
  readonly #inputs: readonly Upstream[]
  readonly #batch: BatchForm | undefined
  /** By name: the operators that give them. */
  readonly #broadcastSets = new Map<string, StreamNode>()
  readonly #defaultName: string
  #name: string | undefined
  #uid: string | undefined
  #uidHash: string | undefined
  #nonParallel: boolean
  #parallelism: number
  #maxParallelism: number | undefined
  #slotSharingGroup: string | undefined
  #chaining: 'always' | 'head' | 'never' = 'always'

  constructor(graph: StreamGraph, id: number, options: StreamNodeOptions) {
    this.graph = graph
    this.id = id
    this.factory = options.factory
    this.#inputs = options.inputs
    this.keySelectors = [options.keySelector, options.secondKeySelector]
    this.#nonParallel = options.nonParallel ?? false
    this.check = options.check
    this.#batch = options.batch
    this.#defaultName = options.defaultName
    this.#name = options.name
    this.#parallelism = this.#nonParallel ? 1 : options.parallelism
  }

  get inputs(): readonly Upstream[] {
    if (this.#broadcastSets.size === 0) return this.#inputs
    const partitioner: EdgePartitioner = { type: 'broadcast' }
    const sets = [...this.#broadcastSets.values()].map(
      (node): Upstream => ({ node, outputTag: undefined, partitioner, inputIndex: 1 }),
    )
    return [...this.#inputs, ...sets]
  }

  /** What it is in BATCH mode. Undefined: the same as in STREAMING. */
  get batch(): BatchForm | undefined {
    const names = [...this.#broadcastSets.keys()]
    if (names.length === 0) return this.#batch
    const form = this.#batch
    if (form !== undefined && 'impossible' in form) return form
    return { factory: () => withBroadcastSets(form?.factory() ?? this.factory, names) }
  }

  /** It can only run in BATCH mode. */
  get needsBatch(): boolean {
    return this.#broadcastSets.size > 0
  }

  get name(): string {
    return this.#name ?? this.#defaultName
  }

  /** Undefined unless the user gave one. */
  get explicitName(): string | undefined {
    return this.#name
  }

  get uid(): string | undefined {
    return this.#uid
  }

  /** The id of the operator's state itself; undefined: it follows from the uid, the name or the place. */
  get uidHash(): string | undefined {
    return this.#uidHash
  }

  get parallelism(): number {
    return this.#parallelism
  }

  get maxParallelism(): number | undefined {
    return this.#maxParallelism
  }

  /** Own setting, else that of all inputs if they agree, else `default`. */
  get slotSharingGroup(): string {
    if (this.#slotSharingGroup !== undefined) return this.#slotSharingGroup
    const groups = new Set(this.inputs.map(input => input.node.slotSharingGroup))
    const [only] = groups
    return groups.size === 1 && only !== undefined ? only : 'default'
  }

  get chaining(): 'always' | 'head' | 'never' {
    return this.#chaining
  }

  /** For messages: `'parse' (operator 3)`. */
  get label(): string {
    return `'${this.name}' (operator ${this.id})`
  }

  setName(name: string): void {
    this.#name = this.#text('name', name)
  }

  setUid(uid: string): void {
    this.#uid = this.#text('uid', uid)
  }

  setUidHash(uidHash: string): void {
    if (!/^[0-9a-f]{32}$/.test(uidHash)) {
      throw InvalidArgument({
        call: `setUidHash of ${this.label}`,
        value: JSON.stringify(uidHash) ?? 'undefined',
        expected: 'the 32 hexadecimal digits of an operator id',
      })
    }
    this.#uidHash = uidHash
  }

  /** One subtask, whatever is set. */
  setNonParallel(): void {
    this.#nonParallel = true
    this.#parallelism = 1
  }

  setParallelism(parallelism: number): void {
    requireParallelism(`setParallelism of ${this.label}`, parallelism)
    if (this.#nonParallel && parallelism > 1) throw NotParallel({ operator: this.label, parallelism })
    this.#parallelism = parallelism
  }

  /**
   * Has the operator wait for the records of `set`.
   * @param set gives them in the form of `broadcastSetOperator`
   */
  addBroadcastSet(name: string, set: StreamNode): void {
    const call = `withBroadcastSet of ${this.label}`
    const refuse = (value: string, expected: string): never => {
      throw InvalidArgument({ call, value, expected })
    }
    if (this.#broadcastSets.has(name)) refuse(`the name '${name}' again`, 'each set a name of its own')
    if (this.#inputs.length === 0) refuse('a source', 'it to an operator behind the source, such as map')
    if (this.#inputs.some(({ inputIndex }) => inputIndex === 1)) {
      refuse('an operator of two inputs', 'it to an operator of one input, such as map')
    }
    if (isUpstream(this, set))
      refuse('a stream that is made of this one', 'a stream that does not depend on it')
    this.#broadcastSets.set(name, set)
  }

  setMaxParallelism(maxParallelism: number): void {
    requireParallelism(`setMaxParallelism of ${this.label}`, maxParallelism)
    this.#maxParallelism = maxParallelism
  }

  setSlotSharingGroup(group: string): void {
    this.#slotSharingGroup = this.#text('slotSharingGroup', group)
  }

  setChaining(chaining: 'head' | 'never'): void {
    this.#chaining = chaining
  }

  #text(call: string, text: string): string {
    if (typeof text === 'string' && text !== '') return text
    throw InvalidArgument({
      call: `${call} of ${this.label}`,
      value: JSON.stringify(text) ?? 'undefined',
      expected: 'a text',
    })
  }
}

/** The operators of one job in the order in which the program makes them: equal in each replay. */
export class StreamGraph {
  readonly #nodes: StreamNode[] = []

  get nodes(): readonly StreamNode[] {
    return this.#nodes
  }

  /** @param call the user's call, for messages */
  add(call: string, options: StreamNodeOptions): StreamNode {
    for (const input of options.inputs) {
      if (input.node.graph !== this) throw ForeignStream({ call, operator: input.node.label })
    }
    const node = new StreamNode(this, this.#nodes.length + 1, options)
    this.#nodes.push(node)
    return node
  }
}

function isUpstream(node: StreamNode, of: StreamNode): boolean {
  const seen = new Set<StreamNode>()
  const open = [of]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === node) return true
    if (seen.has(next)) continue
    seen.add(next)
    open.push(...next.inputs.map(input => input.node))
  }
  return false
}

/** @throws streaming.invalid-argument unless it is a whole number from 1 to 32768 */
export function requireParallelism(call: string, parallelism: number): void {
  if (Number.isInteger(parallelism) && parallelism >= 1 && parallelism <= MAX_KEY_GROUPS) return
  throw InvalidArgument({
    call,
    value: String(parallelism),
    expected: `a whole number from 1 to ${MAX_KEY_GROUPS}`,
  })
}
