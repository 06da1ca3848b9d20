import { createHash } from 'node:crypto'
import type { JobVertexId, OperatorId } from '@flink-ts/common'
import { DuplicateUid } from '../errors.ts'
import type { StreamNode } from './stream-graph.ts'

/**
 * State ids of all operators: from the uid hash, else the uid, else the name that the user gave, else the path from the sources (DESIGN
 * 3.6). Names that occur twice count as none; equal paths are numbered in order of creation. So an id depends on
 * nothing that is added elsewhere in the program.
 * @throws streaming.duplicate-uid
 */
export function operatorIdsOf(nodes: readonly StreamNode[]): ReadonlyMap<StreamNode, OperatorId> {
  requireDistinctUids(nodes)
  const names = new Map<string, number>()
  for (const { uid, explicitName } of nodes) {
    if (uid === undefined && explicitName !== undefined)
      names.set(explicitName, (names.get(explicitName) ?? 0) + 1)
  }
  // A new operator may be where the one was whose id was then given by hand.
  const given = new Map(nodes.flatMap(node => (node.uidHash === undefined ? [] : [[node.uidHash, node]])))
  const ids = new Map<StreamNode, OperatorId>()
  const used = new Map<string, number>()
  for (const node of nodes) {
    const { uid, uidHash, explicitName } = node
    if (uidHash !== undefined) ids.set(node, uidHash as OperatorId)
    else if (uid !== undefined) ids.set(node, hash('uid', uid))
    else if (explicitName !== undefined && names.get(explicitName) === 1)
      ids.set(node, hash('name', explicitName))
    else {
      const path = pathOf(node, ids)
      let id: OperatorId
      do id = hash('path', ...distinct(path, used))
      while (given.has(id))
      ids.set(node, id)
    }
    const id = ids.get(node) as OperatorId
    const other = given.get(id)
    if (other !== undefined && other !== node)
      throw DuplicateUid({ uid: id, first: other.label, second: node.label })
  }
  return ids
}

/** Id of a task from the ids of its chained operators. */
export function jobVertexIdOf(operatorIds: readonly OperatorId[]): JobVertexId {
  return hash('vertex', ...operatorIds)
}

function requireDistinctUids(nodes: readonly StreamNode[]): void {
  const seen = new Map<string, StreamNode>()
  for (const node of nodes) {
    const uid = node.uidHash ?? node.uid
    if (uid === undefined) continue
    const first = seen.get(uid)
    if (first !== undefined) throw DuplicateUid({ uid, first: first.label, second: node.label })
    seen.set(uid, node)
  }
}

function pathOf(node: StreamNode, ids: ReadonlyMap<StreamNode, OperatorId>): string[] {
  const inputs = node.inputs.map(input =>
    [
      ids.get(input.node),
      input.outputTag ?? '',
      input.partitioner?.type ?? '',
      ...(input.inputIndex === 1 ? ['second'] : []),
    ].join(':'),
  )
  return [node.factory.kind, node.explicitName ?? '', ...inputs]
}

function distinct(path: string[], used: Map<string, number>): string[] {
  const text = JSON.stringify(path)
  const occurrence = used.get(text) ?? 0
  used.set(text, occurrence + 1)
  return [...path, String(occurrence)]
}

/** 32 hex characters; the parts are kept apart. */
function hash<T extends string>(...parts: readonly string[]): T {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32) as T
}
