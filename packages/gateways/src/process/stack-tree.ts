/** A function in stacks that were sampled: how often it was found there, and what it had called then. */
export interface StackNode {
  readonly name: string
  readonly value: number
  readonly children: readonly StackNode[]
}

interface MutableNode {
  value: number
  readonly children: Map<string, MutableNode>
}

/** Nodes of one answer at most: trees travel in messages, and nobody looks at more. */
const MOST_NODES = 3000
/** What is rarer than this part is left out first. */
const LEAST_PART = 1 / 5000

/** Sampled stacks, put together by their common callers. */
export class StackTree {
  readonly #root: MutableNode = { value: 0, children: new Map() }

  /** @param path names from the outermost call on */
  add(path: readonly string[], samples: number): void {
    let node = this.#root
    node.value += samples
    for (const name of path) {
      node = childOf(node, name)
      node.value += samples
    }
  }

  merge(other: StackNode): void {
    mergeInto(this.#root, other)
  }

  /** The tree below a node of that name, the most frequent first; of a very large one, what is rare is left out. */
  toNode(name: string): StackNode {
    for (let least = this.#root.value * LEAST_PART; ; least = Math.max(1, least) * 2) {
      const counter = { nodes: 0 }
      const node = plain(name, this.#root, least, counter)
      if (counter.nodes <= MOST_NODES) return node
    }
  }
}

function childOf(node: MutableNode, name: string): MutableNode {
  let child = node.children.get(name)
  if (child === undefined) {
    child = { value: 0, children: new Map() }
    node.children.set(name, child)
  }
  return child
}

function mergeInto(node: MutableNode, other: StackNode): void {
  node.value += other.value
  for (const child of other.children) mergeInto(childOf(node, child.name), child)
}

function plain(name: string, node: MutableNode, least: number, counter: { nodes: number }): StackNode {
  counter.nodes++
  const children = [...node.children]
    .filter(([, child]) => child.value >= least)
    .sort(([, a], [, b]) => b.value - a.value)
    .map(([childName, child]) => plain(childName, child, least, counter))
  return { name, value: node.value, children }
}
