/** Does some work for each item, in order, for so many at a time. Rejects with the first error, when no work is left. */
export async function inParallel<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  let failed = false
  const worker = async (): Promise<void> => {
    while (!failed && next < items.length) {
      try {
        await work(items[next++] as T)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const workers = Array.from({ length: Math.min(limit, items.length) }, worker)
  const outcomes = await Promise.allSettled(workers)
  const failure = outcomes.find(({ status }) => status === 'rejected')
  if (failure !== undefined) throw (failure as PromiseRejectedResult).reason
}
