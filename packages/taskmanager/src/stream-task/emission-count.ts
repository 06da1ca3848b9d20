import type { Push } from '@flink-ts/operators'
import { generateCode } from './generated-code.ts'
import type { ChainLink } from './operator-chain.ts'
import { RecordCounter } from './record-counter.ts'
import type { EdgeOutput } from './task-outputs.ts'

/** What an operator emits to its main output. */
export interface Emission {
  readonly out: Push
  /** Records so far; undefined: nobody takes them, so nobody counts. */
  readonly count: (() => number) | undefined
}

/**
 * The main output of an operator: `children` are called directly, `edges` lead out of the task. Counts only what is
 * not counted anyway: channels know their records, and a child that emits one record for each says how many came.
 */
export function emissionTo(children: readonly ChainLink[], edges: readonly EdgeOutput[]): Emission {
  const targets = [
    ...children.map(child => child.operator.processElement as Push),
    ...edges.map(({ push }) => push),
  ]
  const known = knownCount(children, edges)
  if (targets.length === 0 || known !== undefined) return { out: fanOut(targets), count: known }
  const counter = new RecordCounter()
  return { out: fanOut(targets, counter.cell), count: () => counter.total() }
}

function knownCount(
  children: readonly ChainLink[],
  edges: readonly EdgeOutput[],
): (() => number) | undefined {
  const [edge] = edges
  if (edge !== undefined) return () => recordsOn(edge)
  return children.find(
    ({ operator, recordsOut }) => operator.emitsOneEach === true && recordsOut !== undefined,
  )?.recordsOut
}

/** A broadcast record is in every channel. */
function recordsOn({ edge, writers }: EdgeOutput): number {
  const records = writers.reduce((sum, writer) => sum + writer.recordsOut, 0)
  return edge.partitioning === 'broadcast' ? records / writers.length : records
}

/** One function that calls all targets, and adds to the count, if there is one. */
export function fanOut(targets: readonly Push[], cell?: Int32Array): Push {
  if (cell === undefined && targets.length === 0) return generateCode<Push>([], 'return () => {}', [])
  if (cell === undefined && targets.length === 1) return targets[0] as Push
  const names = targets.map((_, i) => `to${i}`)
  const count = cell === undefined ? '' : 'cell[0]++; '
  return generateCode<Push>(
    ['cell', ...names],
    `return value => { ${count}${names.map(name => `${name}(value)`).join('; ')} }`,
    [cell, ...targets],
  )
}
