const NAME_OF_TASK = /^flinkTask_(\w+)_(\d+)$/

/** What the function that leads into a task is called, so that profiles tell whose calls they show. */
export function taskFunctionName(vertexId: string, subtaskIndex: number): string {
  return `flinkTask_${vertexId.replaceAll(/\W/g, '_')}_${subtaskIndex}`
}

/** Whether a function leads into a task: of this vertex, or of another one. */
export function ownerOfFunction(functionName: string, vertexId: string): 'this' | 'other' | undefined {
  const [, id] = NAME_OF_TASK.exec(functionName) ?? []
  if (id === undefined) return undefined
  return id === vertexId.replaceAll(/\W/g, '_') ? 'this' : 'other'
}
