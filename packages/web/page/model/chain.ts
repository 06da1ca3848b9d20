/** Names of the operators of a vertex, in the order of the flow. */
export function chainOf(vertexName: string): readonly string[] {
  return vertexName.split(' -> ')
}

/** Id of a metric of an operator, as the API writes names: without what would need quoting in a query. */
export function operatorMetricId(operator: string, metric: string): string {
  const name = operator
    .replaceAll(/[<>"]/g, '')
    .replaceAll(' ', '_')
    .replaceAll(/[,=;:?'*]/g, '-')
  return `${name}.${metric}`
}
