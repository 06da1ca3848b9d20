import { createHash } from 'node:crypto'
import type { JobEdge, JobGraph, JobVertex } from '@flink-ts/jobgraph'
import { type OperatorFactory, type ReplayedProgram, withRecordChecks } from '@flink-ts/operators'
import { BroadcastSetInStream, NotInBatchMode, ParallelismAboveMax } from '../errors.ts'
import { jobVertexIdOf, operatorIdsOf } from './operator-ids.ts'
import { type PlannedEdge, planEdges } from './plan-edges.ts'
import { MAX_KEY_GROUPS, type StreamGraph, type StreamNode } from './stream-graph.ts'

/** What of a job does not come from its operators. */
export type JobSettings = Omit<JobGraph, 'vertices' | 'edges' | 'fingerprint' | 'fingerprintLines'>

/** Settings that shape the graph. */
export interface TranslationOptions {
  readonly chainingEnabled: boolean
  /** Of the environment; undefined: derived from the parallelism. */
  readonly maxParallelism: number | undefined
  /** Whether records are guarded against changes. Absent: no. */
  readonly checkRecords?: boolean
}

/**
 * Turns operators into chained vertices and edges, and gives the functions for them. Pure: the same graph and options
 * give the same result, but for the job id, in each replay.
 * @throws streaming.duplicate-uid, streaming.forward-between-parallelisms, streaming.parallelism-above-max,
 * streaming.not-in-batch-mode
 */
export function translate(
  graph: StreamGraph,
  settings: JobSettings,
  options: TranslationOptions,
): { readonly jobGraph: JobGraph; readonly program: ReplayedProgram } {
  const { nodes } = graph
  for (const node of nodes) node.check?.(node)
  const isBatch = settings.jobType === 'BATCH'
  const plain = new Map(nodes.map(node => [node, factoryOf(node, isBatch)]))
  const placed = new Map([...plain].map(([node, factory]) => [node, withKeyPlace(factory, node)]))
  const factories = options.checkRecords === true ? withChecks(placed) : placed
  const planned = planEdges(nodes, options.chainingEnabled)
  const ids = operatorIdsOf(nodes)
  const chainOf = new Map<StreamNode, StreamNode[]>()
  const chains = chainsOf(nodes, planned, chainOf)
  const vertices = new Map(
    chains.map(chain => [chain, vertexOf(chain, planned, { ids, factories }, options.maxParallelism)]),
  )
  const exchanges = planned.filter(edge => !edge.chained)
  const vertexOfNode = (node: StreamNode): JobVertex =>
    vertices.get(chainOf.get(node) as StreamNode[]) as JobVertex
  const edges = exchanges.map(
    (edge, edgeId): JobEdge => ({
      edgeId,
      source: vertexOfNode(edge.source).id,
      sourceNodeId: edge.source.id,
      outputTag: edge.outputTag,
      target: vertexOfNode(edge.target).id,
      targetInput: edge.inputIndex,
      partitioning: edge.partitioning,
    }),
  )
  const fingerprintLines = nodes.map(node => fingerprintLine(node, kindIn(factories, node), planned))
  const fingerprint = createHash('sha256').update(fingerprintLines.join('\n')).digest('hex')
  return {
    jobGraph: { ...settings, vertices: [...vertices.values()], edges, fingerprint, fingerprintLines },
    program: programOf(nodes, factories, exchanges, { fingerprint, fingerprintLines }),
  }
}

/** What runs for a node. @throws streaming.not-in-batch-mode, streaming.broadcast-set-in-stream */
function factoryOf(node: StreamNode, isBatch: boolean): OperatorFactory {
  if (!isBatch && node.needsBatch) throw BroadcastSetInStream({ operator: node.label })
  if (!isBatch || node.batch === undefined) return node.factory
  if ('factory' in node.batch) return node.batch.factory()
  throw NotInBatchMode({ operator: node.label, reason: node.batch.impossible })
}

/** The operator of a node that gets records by key, which can name the line of its `keyBy`. */
function withKeyPlace(factory: OperatorFactory, { inputs }: StreamNode): OperatorFactory {
  const places = inputs.flatMap(({ partitioner }) =>
    partitioner?.type === 'hash' && partitioner.place !== undefined ? [partitioner.place] : [],
  )
  if (places.length === 0) return factory
  return { ...factory, keyPlace: [...new Set(places)].join(' and ') }
}

/** Committables are between a sink and itself. */
const UNCHECKED: ReadonlySet<string> = new Set(['sink-writer', 'sink'])

function withChecks(factories: Factories): Factories {
  const nodes = [...factories.keys()]
  const consumersOf = (node: StreamNode): string[] =>
    nodes.filter(({ inputs }) => inputs.some(input => input.node === node)).map(({ name }) => name)
  return new Map(
    [...factories].map(([node, factory]) => [
      node,
      UNCHECKED.has(factory.kind) ? factory : withRecordChecks(factory, consumersOf(node)),
    ]),
  )
}

type Factories = ReadonlyMap<StreamNode, OperatorFactory>

const kindIn = (factories: Factories, node: StreamNode): string =>
  (factories.get(node) as OperatorFactory).kind

/** Number of key groups for a parallelism, as in Flink: a power of two at least 1.5 times as high, from 128 on. */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = parallelism + Math.floor(parallelism / 2)
  return Math.min(Math.max(2 ** Math.ceil(Math.log2(wanted)), 128), MAX_KEY_GROUPS)
}

/** Chains in order of their heads; in each, every operator comes after the one that feeds it. */
function chainsOf(
  nodes: readonly StreamNode[],
  planned: readonly PlannedEdge[],
  chainOf: Map<StreamNode, StreamNode[]>,
): StreamNode[][] {
  const chains: StreamNode[][] = []
  const chainedInput = new Map(planned.filter(edge => edge.chained).map(edge => [edge.target, edge.source]))
  // Inputs are always made before their consumers.
  for (const node of nodes) {
    const source = chainedInput.get(node)
    let chain = source === undefined ? undefined : chainOf.get(source)
    if (chain === undefined) {
      chain = []
      chains.push(chain)
    }
    chain.push(node)
    chainOf.set(node, chain)
  }
  return chains
}

function vertexOf(
  chain: readonly StreamNode[],
  planned: readonly PlannedEdge[],
  { ids, factories }: { ids: ReturnType<typeof operatorIdsOf>; factories: Factories },
  environmentMaxParallelism: number | undefined,
): JobVertex {
  const head = chain[0] as StreamNode
  const operators = chain.map(node => ({
    nodeId: node.id,
    operatorId: ids.get(node) as NonNullable<ReturnType<typeof ids.get>>,
    uid: node.uid,
    name: node.name,
    kind: kindIn(factories, node),
    ...(factories.get(node)?.coordinator !== undefined && { coordinated: true }),
    chainedOutputs: planned.filter(edge => edge.chained && edge.source === node).map(edge => edge.target.id),
  }))
  const { parallelism } = head
  const maxParallelism =
    head.maxParallelism ?? environmentMaxParallelism ?? defaultMaxParallelism(parallelism)
  if (parallelism > maxParallelism)
    throw ParallelismAboveMax({ operator: head.label, parallelism, maxParallelism })
  return {
    id: jobVertexIdOf(operators.map(operator => operator.operatorId)),
    name: operators.map(operator => operator.name).join(' -> '),
    parallelism,
    maxParallelism,
    slotSharingGroup: head.slotSharingGroup,
    operators,
  }
}

/**
 * The topology as one readable line an operator. Chaining is part of it, because edges are numbered without the
 * chained ones: what differs here would mix up edges.
 */
function fingerprintLine(node: StreamNode, kind: string, planned: readonly PlannedEdge[]): string {
  const inputs = planned
    .filter(edge => edge.target === node)
    .map(edge => {
      const tag = edge.outputTag === undefined ? '' : ` side output ${JSON.stringify(edge.outputTag)}`
      const second = edge.inputIndex === 1 ? ' second' : ''
      return `${edge.source.id}${tag}${second} by ${edge.chained ? 'chain' : edge.partitioning}`
    })
  const from = inputs.length === 0 ? '' : ` from ${inputs.join(', ')}`
  return `${node.id} ${kind} ${JSON.stringify(node.name)}${from}`
}

function programOf(
  nodes: readonly StreamNode[],
  factories: Factories,
  exchanges: readonly PlannedEdge[],
  topology: Pick<ReplayedProgram, 'fingerprint' | 'fingerprintLines'>,
): ReplayedProgram {
  const known = <T>(what: string, id: number, value: T | undefined): T => {
    if (value === undefined) throw new RangeError(`The program has no ${what} ${id}`)
    return value
  }
  return {
    ...topology,
    operatorFactory: nodeId => {
      const node = known('operator', nodeId, nodes[nodeId - 1])
      return factories.get(node) as OperatorFactory
    },
    partitioner: edgeId => known('edge', edgeId, exchanges[edgeId]).partitioner,
    keySelector: (nodeId, input) => known('operator', nodeId, nodes[nodeId - 1]).keySelectors[input],
  }
}
