import { duration, percent } from './format.ts'
import type { Rates } from './rates.ts'

/** A vertex as far as it tells what limits a job. */
export interface Load {
  readonly id: string
  readonly name: string
  readonly parallelism: number
  readonly inputs: readonly string[]
  readonly rates: Rates | undefined
}

/** What is asked about. */
export interface Question {
  readonly state: string
  readonly durationMs: number
  /** First line of the last failure. */
  readonly failure?: string | undefined
  /** Tasks that do not run yet, of all. */
  readonly waiting: number
  readonly tasks: number
  readonly vertices: readonly Load[]
}

/** How a sentence is to be seen. */
export type Tone = 'calm' | 'busy' | 'bad'

/** From here on a vertex has no time left, or is held back by those behind it. */
const FULL = 0.8
const HELD_BACK = 0.3
const IDLE = 0.7

/**
 * One sentence on what limits a job now. The vertex that limits is the last one that works without a pause behind
 * ones that are held back: what it cannot take keeps everything before it waiting.
 */
export function whatLimits(question: Question): { readonly text: string; readonly tone: Tone } {
  const { state, durationMs, failure, waiting, tasks, vertices } = question
  const because = failure === undefined ? '' : `: ${failure}`
  switch (state) {
    case 'FINISHED':
      return { text: `Finished: all tasks came to their end after ${duration(durationMs)}.`, tone: 'calm' }
    case 'CANCELED':
      return { text: `Cancelled after ${duration(durationMs)}.`, tone: 'calm' }
    case 'FAILED':
      return { text: `Failed after ${duration(durationMs)}${because}`, tone: 'bad' }
    case 'FAILING':
      return { text: `Is failing: its tasks are being cancelled${because}`, tone: 'bad' }
    case 'RESTARTING':
      return { text: `Restarts after a failure${because}`, tone: 'bad' }
    case 'CANCELLING':
      return { text: 'Is being cancelled: tasks close their operators.', tone: 'busy' }
    case 'RUNNING':
      break
    default:
      return { text: 'Is being set up.', tone: 'calm' }
  }
  if (waiting > 0) {
    return {
      text: `${waiting} of ${tasks} tasks do not run yet: they wait for slots, or load the program and their state.`,
      tone: 'busy',
    }
  }
  return whatLimitsRunning(vertices)
}

function whatLimitsRunning(vertices: readonly Load[]): { readonly text: string; readonly tone: Tone } {
  const measured = vertices.flatMap(vertex =>
    vertex.rates === undefined ? [] : [{ ...vertex, rates: vertex.rates }],
  )
  if (measured.length === 0)
    return { text: 'Runs; what limits it shows after the next measurement.', tone: 'calm' }
  const byId = new Map(measured.map(vertex => [vertex.id, vertex]))
  const heldBackBy = (id: string): readonly string[] => {
    const vertex = byId.get(id)
    return (vertex?.inputs ?? [])
      .flatMap(input => byId.get(input) ?? [])
      .filter(({ rates }) => rates.backPressured >= HELD_BACK)
      .map(({ name }) => name)
  }
  const busiest = measured.toSorted((a, b) => b.rates.busy - a.rates.busy)
  // Busiest first, so that of several the fullest is named.
  const limit = busiest.find(
    vertex => vertex.rates.backPressured < HELD_BACK && heldBackBy(vertex.id).length > 0,
  )
  if (limit !== undefined) {
    const behind = heldBackBy(limit.id).map(quoted).join(' and ')
    const more = `Give it more parallelism than ${limit.parallelism}, or make it do less for each record.`
    return {
      text: `${quoted(limit.name)} limits the job: it is busy ${percent(limit.rates.busy)} of the time, and ${behind} ${heldBackBy(limit.id).length > 1 ? 'wait' : 'waits'} for it. ${more}`,
      tone: 'bad',
    }
  }
  const crowded = inTurns(busiest)
  if (crowded !== undefined) return crowded
  const full = busiest[0]
  if (full !== undefined && full.rates.busy >= FULL) {
    const text =
      full.inputs.length === 0
        ? `The source ${quoted(full.name)} limits the job: it is busy ${percent(full.rates.busy)} of the time, and nothing behind it keeps it waiting.`
        : `${quoted(full.name)} is at its limit: busy ${percent(full.rates.busy)} of the time, but it keeps up with its input.`
    return { text, tone: 'busy' }
  }
  const held = measured.find(({ rates }) => rates.backPressured >= HELD_BACK)
  if (held !== undefined) {
    return {
      text: `${quoted(held.name)} is back-pressured ${percent(held.rates.backPressured)} of the time by bursts: nothing behind it is busy throughout.`,
      tone: 'busy',
    }
  }
  if (measured.every(({ rates }) => rates.idle >= IDLE)) {
    return { text: 'Nothing limits the job: all tasks wait for input most of the time.', tone: 'calm' }
  }
  return {
    text: `Nothing limits the job: the busiest task, ${quoted(full?.name ?? '')}, has ${percent(1 - (full?.rates.busy ?? 0))} of its time left.`,
    tone: 'calm',
  }
}

/** From here on tasks wait for each other in their threads: one alone can't be busy more than all the time. */
const CROWDED = 1.2
const WORKING = 0.4

/** Tasks of several vertices share the thread of a slot, and count as busy while they wait for their turn in it. */
function inTurns(
  busiest: readonly (Load & { readonly rates: Rates })[],
): { readonly text: string; readonly tone: Tone } | undefined {
  const slots = Math.max(...busiest.map(({ parallelism }) => parallelism))
  const busy = busiest.reduce((sum, { rates, parallelism }) => sum + rates.busy * parallelism, 0) / slots
  const working = busiest.filter(({ rates }) => rates.busy >= WORKING).slice(0, 3)
  if (busy < CROWDED || working.length < 2) return undefined
  const names = working.map(({ name, rates }) => `${quoted(name)} (busy ${percent(rates.busy)})`)
  const last = names.pop()
  const threads = slots === 1 ? 'the thread of its slot is' : `the threads of its ${slots} slots are`
  return {
    text: `Cores limit the job: ${threads} full, where ${names.join(', ')} and ${last} take turns. Run it with more parallelism, or make it do less for each record.`,
    tone: 'busy',
  }
}

/** Names of chains are long; their first and last operators tell them apart. */
export function shortName(name: string, limit = 48): string {
  if (name.length <= limit) return name
  const parts = name.split(' -> ')
  const [first = '', last = ''] = [parts[0], parts.at(-1)]
  const ends = parts.length > 2 ? `${first} -> … -> ${last}` : name
  return ends.length <= limit ? ends : `${ends.slice(0, limit - 1)}…`
}

function quoted(name: string): string {
  return `‘${shortName(name)}’`
}
