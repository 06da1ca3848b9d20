import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import type { Worker } from 'node:worker_threads'
import type { Clock } from '@flink-ts/common'
import { type ProcessProfileRequest, type StackNode, StackTree } from '@flink-ts/gateways'
import type { NamedThread } from './process-metrics.ts'

/** Of V8: no JavaScript is on the stack. */
export const OUTSIDE: ReadonlySet<string> = new Set(['(root)', '(program)', '(idle)'])

/** What the main thread of this process does for that time. */
export async function profileOfMain(durationMs: number, clock: Clock): Promise<Profiler.Profile> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await pause(durationMs, clock)
    const { profile } = await session.post('Profiler.stop')
    return profile
  } finally {
    session.disconnect()
  }
}

/** What another thread does for that time. Rejects if it ends, or is sampled already. */
export async function profileOf(worker: Worker, durationMs: number, clock: Clock): Promise<Profiler.Profile> {
  const running = await worker.startCpuProfile()
  await pause(durationMs, clock)
  return JSON.parse(await running.stop()) as Profiler.Profile
}

/** All threads of this process as one tree: below its root is a node for each thread. A thread that ends is left out. */
export async function profileThreads(
  threads: readonly NamedThread[],
  { durationMs, idle }: ProcessProfileRequest,
  clock: Clock,
): Promise<StackNode> {
  const profiles = await Promise.allSettled([
    profileOfMain(durationMs, clock),
    ...threads.map(({ worker }) => profileOf(worker, durationMs, clock)),
  ])
  const names = ['main', ...threads.map(({ name }) => name)]
  const tree = new StackTree()
  for (const [index, outcome] of profiles.entries())
    if (outcome.status === 'fulfilled') addStacks(tree, `<${names[index]}>`, outcome.value, idle)
  return tree.toNode('root')
}

function addStacks(
  tree: StackTree,
  thread: string,
  { nodes, samples = [] }: Profiler.Profile,
  idle: boolean,
): void {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const parents = new Map(nodes.flatMap(node => (node.children ?? []).map(child => [child, node.id])))
  const counts = new Map<number, number>()
  for (const id of samples) counts.set(id, (counts.get(id) ?? 0) + 1)
  for (const [leaf, count] of counts) {
    if (!idle && OUTSIDE.has(byId.get(leaf)?.callFrame.functionName ?? '')) continue
    const path: string[] = []
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const frame = byId.get(id)?.callFrame
      if (frame !== undefined && frame.functionName !== '(root)') path.push(described(frame))
    }
    tree.add([thread, ...path.reverse()], count)
  }
}

function described({ functionName, url, lineNumber }: Profiler.ProfileNode['callFrame']): string {
  const file = url.split('?')[0]?.split('/').at(-1) ?? ''
  const name = functionName === '' ? 'a function' : functionName
  return file === '' ? name : `${name} (${file}:${lineNumber + 1})`
}

function pause(durationMs: number, clock: Clock): Promise<void> {
  return new Promise(resolve => {
    clock.schedule(durationMs, resolve)
  })
}
