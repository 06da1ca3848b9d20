// Loaded before a program by `node --import`: ends running slot threads of its MiniCluster at random moments, and every
// other time the job host with them, if there is one.
// KILL_SLOT_THREADS: `seed,number of kills,longest pause in ms`. Says at exit how many threads it ended.
import { isMainThread } from 'node:worker_threads'
import { MiniCluster } from '@flink-ts/cluster'
import { Configuration, SeededRandom } from '@flink-ts/common'

if (isMainThread) {
  const [seed = 0, kills = 0, longestMs = 0] = (process.env.KILL_SLOT_THREADS ?? '').split(',').map(Number)
  const random = new SeededRandom(seed)
  const start = MiniCluster.start
  let killed = 0
  MiniCluster.start = async (options, dependencies) => {
    const quick = Configuration.of({
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': '100',
      'restart-strategy.fixed-delay.delay': '50 ms',
    })
    const configuration = options.configuration.with(quick)
    const cluster = await start({ ...options, configuration }, dependencies)
    const killLater = (): void => {
      if (killed === kills) return
      // Not kept alive by it: whether the process ends by itself is part of the test.
      setTimeout(
        () => {
          const threads = cluster.taskManagers.flatMap(taskManager => [...taskManager.slotThreads])
          const victim = threads[Math.floor(random.next() * threads.length)]
          if (victim !== undefined) {
            killed++
            void victim.terminate()
            // Nothing waits for its end.
            if (random.next() < 0.5) void cluster.jobHosts.end()
          }
          killLater()
        },
        300 + random.next() * longestMs,
      ).unref()
    }
    killLater()
    return cluster
  }
  process.on('exit', () => console.log(`slot threads ended: ${killed}`))
}
