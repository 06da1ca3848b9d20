// What REST would answer of one job with 200 vertices at parallelism 500. Numbers grow with time, so that each refresh
// changes everything.

export const LARGE_JOB = 'c'.repeat(32)
const VERTICES = 200
const PARALLELISM = 500
const STARTED_AT = Date.now() - 3_600_000

const idOf = (index: number): string => `v${index}`
const nameOf = (index: number): string =>
  [1, 2, 3].map(operator => `operator ${operator} of step ${index}`).join(' -> ')

/** Ten sources, and behind them a grid where each vertex reads one or two before it. */
const inputsOf = (index: number): readonly number[] => {
  if (index < 10) return []
  return index % 3 === 0 && index % 10 !== 9 ? [index - 10, index - 9] : [index - 10]
}

function metrics(index: number, parts: number): object {
  const seconds = (Date.now() - STARTED_AT) / 1000
  const records = Math.round(seconds * parts * (100 + (index % 17) * 10))
  const busy = ((index * 37 + Math.floor(seconds)) % 100) / 100
  const all = Math.round(seconds * 1000 * parts)
  return {
    'read-bytes': records * 90,
    'write-bytes': records * 80,
    'read-records': index < 10 ? 0 : records,
    'write-records': records,
    'accumulated-busy-time': Math.round(all * busy),
    'accumulated-backpressured-time': Math.round((all * (1 - busy)) / 3),
    'accumulated-idle-time': Math.round((all * (1 - busy) * 2) / 3),
  }
}

function job(): object {
  const now = Date.now()
  const indexes = Array.from({ length: VERTICES }, (_, index) => index)
  return {
    jid: LARGE_JOB,
    name: 'a large job',
    state: 'RUNNING',
    'start-time': STARTED_AT,
    'end-time': -1,
    duration: now - STARTED_AT,
    maxParallelism: 4096,
    now,
    timestamps: { RUNNING: STARTED_AT },
    vertices: indexes.map(index => ({
      id: idOf(index),
      name: nameOf(index),
      parallelism: PARALLELISM,
      maxParallelism: 4096,
      status: 'RUNNING',
      'start-time': STARTED_AT,
      'end-time': -1,
      duration: now - STARTED_AT,
      tasks: { RUNNING: PARALLELISM, FINISHED: 0 },
      metrics: metrics(index, PARALLELISM),
    })),
    plan: {
      nodes: indexes.map(index => ({
        id: idOf(index),
        parallelism: PARALLELISM,
        description: nameOf(index),
        inputs: inputsOf(index).map((input, num) => ({ num, id: idOf(input), ship_strategy: 'HASH' })),
      })),
    },
  }
}

function vertex(): object {
  const now = Date.now()
  return {
    id: idOf(7),
    now,
    subtasks: Array.from({ length: PARALLELISM }, (_, index) => ({
      subtask: index,
      attempt: 0,
      status: 'RUNNING',
      endpoint: `host-${index % 40}:6121`,
      'taskmanager-id': `taskmanager-${index % 40}`,
      'start-time': STARTED_AT,
      'end-time': -1,
      duration: now - STARTED_AT,
      metrics: metrics(index, 1),
    })),
  }
}

/** The answer to a path; undefined: there is none. */
export function largeJobAnswer(url: string): object | undefined {
  const path = url.split('?')[0]
  if (path === '/config') return { 'refresh-interval': 1000, 'flink-version': '0', features: {} }
  if (path === '/overview')
    return { taskmanagers: 40, 'slots-total': 500, 'slots-available': 0, 'flink-version': '0' }
  if (path === `/jobs/${LARGE_JOB}`) return job()
  return path === `/jobs/${LARGE_JOB}/vertices/v7` ? vertex() : undefined
}
