/** A smooth path through points, for SVG. */
export function smooth(points: readonly { readonly x: number; readonly y: number }[]): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  const parts = rest.map((point, index) => {
    const next = rest[index + 1]
    // Curves bend at the points between and end in the middle to the next one.
    if (next === undefined) return `L${point.x},${point.y}`
    return `Q${point.x},${point.y} ${(point.x + next.x) / 2},${(point.y + next.y) / 2}`
  })
  return `M${first.x},${first.y} ${parts.join(' ')}`
}
