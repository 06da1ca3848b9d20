import type { StackNode } from '@flink-ts/gateways'

/** What is narrower cannot be seen. */
const LEAST_SHARE = 0.001
/** Rows of it; deeper calls are left out. */
const MOST_DEPTH = 120

const STYLE = `
body { margin: 1rem; font: 12px/18px system-ui, sans-serif; color-scheme: light dark }
div { display: flex; flex-direction: column; min-width: 0 }
section { display: flex; min-width: 0 }
p { margin: 0; padding: 0 3px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis;
  background: #f0b27a; color: #222; border: 0.5px solid #fff8 }
p:hover { background: #f7dc6f; position: relative; width: max-content; min-width: 100%; z-index: 1 }`

/** A profile as a page that stands alone: a flame graph without scripts, each part as wide as its share of the time. */
export function profilePage(root: StackNode): string {
  const parts: string[] = []
  const add = (node: StackNode, of: number, depth: number): void => {
    const share = of === 0 ? 1 : node.value / of
    const percent = ((100 * node.value) / Math.max(1, root.value)).toFixed(1)
    parts.push(`<div style="width:${(100 * share).toFixed(3)}%">`)
    parts.push(`<p title="${escaped(`${node.name}: ${percent} %`)}">${escaped(node.name)}</p>`)
    const children = node.children.filter(({ value }) => value >= root.value * LEAST_SHARE)
    if (children.length > 0 && depth < MOST_DEPTH) {
      parts.push('<section>')
      for (const child of children) add(child, node.value, depth + 1)
      parts.push('</section>')
    }
    parts.push('</div>')
  }
  add({ ...root, name: `all: ${root.value} samples` }, 0, 0)
  return `<!doctype html>\n<meta charset="utf-8">\n<title>Profile</title>\n<style>${STYLE}</style>\n${parts.join('')}\n`
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
