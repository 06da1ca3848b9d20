/** A node of a flame graph as the API tells it. */
export interface FlameNode {
  readonly name: string
  readonly value: number
  readonly children?: readonly FlameNode[]
}

/** A bar of a flame graph. `from` and `to` are shares of the whole width. */
export interface FlameBar {
  readonly node: FlameNode
  readonly depth: number
  readonly from: number
  readonly to: number
  /** Index of the bar it stands on; -1: none. */
  readonly parent: number
}

/** What is narrower can't be seen, nor hit. */
const LEAST_SHARE = 0.0008
const MAX_DEPTH = 100

/**
 * Bars of a flame graph, widest part first among neighbours as they come. Children that are too narrow are left out, as
 * is what stands on them.
 */
export function flameBars(root: FlameNode): readonly FlameBar[] {
  const bars: FlameBar[] = []
  const add = (node: FlameNode, depth: number, from: number, to: number, parent: number): void => {
    if (to - from < LEAST_SHARE || depth > MAX_DEPTH) return
    const index = bars.push({ node, depth, from, to, parent }) - 1
    const share = node.value <= 0 ? 0 : (to - from) / node.value
    let at = from
    for (const child of node.children ?? []) {
      const end = Math.min(to, at + child.value * share)
      add(child, depth + 1, at, end, index)
      at = end
    }
  }
  add(root, 0, 0, 1, -1)
  return bars
}

/** A function with what it was found in: by itself, and with what it called. Shares of all. */
export interface HotFunction {
  readonly name: string
  readonly own: number
  readonly all: number
}

/** Functions by the time they took themselves, most first. A function that calls itself counts once. */
export function hotFunctions(root: FlameNode, most: number): readonly HotFunction[] {
  const found = new Map<string, { own: number; all: number }>()
  const onStack = new Set<string>()
  const visit = (node: FlameNode): void => {
    const { name, value, children = [] } = node
    const entry = found.get(name) ?? { own: 0, all: 0 }
    found.set(name, entry)
    entry.own += Math.max(0, value - children.reduce((sum, child) => sum + child.value, 0))
    const outermost = !onStack.has(name)
    if (outermost) {
      entry.all += value
      onStack.add(name)
    }
    for (const child of children) visit(child)
    if (outermost) onStack.delete(name)
  }
  for (const child of root.children ?? []) visit(child)
  const whole = Math.max(1, root.value)
  return [...found]
    .map(([name, { own, all }]) => ({ name, own: own / whole, all: all / whole }))
    .filter(({ own }) => own > 0)
    .toSorted((a, b) => b.own - a.own)
    .slice(0, most)
}
