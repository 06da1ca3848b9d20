import type { JobOperator } from '@flink-ts/jobgraph'
import type { ChannelEvent } from '@flink-ts/network'
import { MAX_WATERMARK, MIN_WATERMARK, type Push, type StreamOperator } from '@flink-ts/operators'
import { emissionTo, fanOut } from './emission-count.ts'
import type { EdgeOutput } from './task-outputs.ts'

/** One operator of a chain with its place in it and its event time. Owner: the task. */
export interface ChainLink {
  readonly index: number
  readonly node: JobOperator
  readonly operator: StreamOperator
  /** Links that are fed by direct call. */
  readonly children: readonly ChainLink[]
  readonly edges: readonly EdgeOutput[]
  /** How many records it has emitted to its main output; undefined: nobody takes them. */
  readonly recordsOut: (() => number) | undefined
  /** Event time as the operator sees it. */
  eventTime: number
  /** Last watermark that went on from here. */
  forwarded: number
  /** Watermark being worked off; undefined: none. */
  pending: number | undefined
  /** The one after it. */
  next: number | undefined
  idle: boolean
}

/** Makes the error for what the operator of a link has thrown in a step of its life. */
export type OperatorFailureMaker = (link: ChainLink, step: string, thrown: unknown) => unknown

/** Makes one operator instance; `out` and side outputs lead to the links behind it. */
export type LinkMaker = (
  node: JobOperator,
  index: number,
  out: Push,
  sideOutput: (tag: string) => Push,
) => StreamOperator

/**
 * The operators of one task as a tree of direct calls, and the progress of event time through it. A watermark passes
 * the operators in topological order, each working it off before it goes on; an operator may suspend, and the task
 * takes no records until {@link OperatorChain.advance} has brought everything to its end.
 */
export class OperatorChain {
  /** In topological order; the first is the head. */
  readonly links: readonly ChainLink[]
  readonly #failure: OperatorFailureMaker

  private constructor(links: readonly ChainLink[], failure: OperatorFailureMaker) {
    this.links = links
    this.#failure = failure
  }

  /** Builds the operators back to front, so that each gets its outputs at creation. */
  static build(
    nodes: readonly JobOperator[],
    edges: readonly EdgeOutput[],
    make: LinkMaker,
    failure: OperatorFailureMaker,
  ): OperatorChain {
    const byNode = new Map<number, ChainLink>()
    const links = new Array<ChainLink>(nodes.length)
    for (let index = nodes.length - 1; index >= 0; index--) {
      const node = nodes[index] as JobOperator
      const children = node.chainedOutputs.map(id => byNode.get(id) as ChainLink)
      const own = edges.filter(({ edge }) => edge.sourceNodeId === node.nodeId)
      const side = (tag: string): Push =>
        fanOut(own.filter(({ edge }) => edge.outputTag === tag).map(({ push }) => push))
      const main = own.filter(({ edge }) => edge.outputTag === undefined)
      const emission = emissionTo(children, main)
      const link: ChainLink = {
        index,
        node,
        operator: make(node, index, emission.out, side),
        children,
        edges: own,
        recordsOut: emission.count,
        eventTime: MIN_WATERMARK,
        forwarded: MIN_WATERMARK,
        pending: undefined,
        next: undefined,
        idle: false,
      }
      links[index] = link
      byNode.set(node.nodeId, link)
    }
    return new OperatorChain(links, failure)
  }

  get head(): ChainLink {
    return this.links[0] as ChainLink
  }

  /**
   * Records of each operator, in order of the chain.
   * @param recordsIn that have come to the head
   */
  records(recordsIn: number): readonly { name: string; recordsIn: number; recordsOut: number }[] {
    const into = new Map<ChainLink, number>([[this.head, recordsIn]])
    for (const link of this.links) {
      for (const child of link.children) into.set(child, link.recordsOut?.() ?? 0)
    }
    return this.links.map(link => ({
      name: link.node.name,
      recordsIn: into.get(link) ?? 0,
      recordsOut: link.recordsOut?.() ?? 0,
    }))
  }

  /** Some operator has not worked off its watermark. */
  get suspended(): boolean {
    for (const link of this.links) if (link.pending !== undefined) return true
    return false
  }

  /** A record that `link` emits now would reach an operator with an unfinished watermark. */
  blockedBehind(link: ChainLink): boolean {
    for (const child of link.children)
      if (child.pending !== undefined || this.blockedBehind(child)) return true
    return false
  }

  /** A watermark arrives at the head. {@link OperatorChain.advance} has to follow. */
  enter(watermark: number): void {
    enqueue(this.head, watermark)
  }

  /**
   * An operator emits a watermark of its own. {@link OperatorChain.advance} has to follow if this returns true; lower
   * ones than the last are ignored, but end idleness.
   */
  emit(link: ChainLink, watermark: number): boolean {
    this.setActive(link)
    if (watermark <= link.forwarded) return false
    if (link.operator.source !== undefined) link.eventTime = watermark
    forward(link, watermark)
    return true
  }

  /**
   * Works off watermarks until all are through (true) or an operator suspends (false). The furthest downstream goes
   * first, so that what an operator fires never meets an unfinished watermark behind it.
   * @param from links before this one are left alone: they may be on the stack
   */
  advance(from = 0): boolean {
    for (;;) {
      const link = this.#lastPending(from)
      if (link === undefined) return true
      const watermark = link.pending as number
      link.eventTime = Math.max(link.eventTime, watermark)
      const { operator } = link
      if (operator.advanceWatermark !== undefined && !this.#advanceOperator(link, watermark)) return false
      link.pending = link.next
      link.next = undefined
      const onward =
        operator.forwardWatermark === undefined ? watermark : operator.forwardWatermark(watermark)
      if (onward !== undefined && onward > link.forwarded) forward(link, onward)
    }
  }

  #advanceOperator(link: ChainLink, watermark: number): boolean | undefined {
    try {
      return link.operator.advanceWatermark?.(watermark)
    } catch (error) {
      throw this.#failure(link, 'a timer or window', error)
    }
  }

  #lastPending(from: number): ChainLink | undefined {
    for (let i = this.links.length - 1; i >= from; i--) {
      const link = this.links[i] as ChainLink
      if (link.pending !== undefined) return link
    }
    return undefined
  }

  setIdle(link: ChainLink): void {
    if (link.idle || link.forwarded === MAX_WATERMARK) return
    this.#status(link, true)
  }

  setActive(link: ChainLink): void {
    if (link.idle) this.#status(link, false)
  }

  #status(link: ChainLink, idle: boolean): void {
    link.idle = idle
    const event: ChannelEvent = { type: idle ? 'idle' : 'active' }
    for (const edge of link.edges) for (const writer of edge.writers) writer.event(event)
    for (const child of link.children) this.#status(child, idle)
  }
}

function enqueue(link: ChainLink, watermark: number): void {
  if (link.pending === undefined) link.pending = watermark
  else if (watermark > link.pending) link.next = Math.max(link.next ?? MIN_WATERMARK, watermark)
}

function forward(link: ChainLink, watermark: number): void {
  link.forwarded = watermark
  for (const edge of link.edges) {
    for (const writer of edge.writers) writer.event({ type: 'watermark', watermark })
  }
  for (const child of link.children) enqueue(child, watermark)
}
