// One measured run of a query as a plain loop: node query-loop.ts <query> <events> 1 <seed>
import { OUT_OF_ORDERNESS_MS } from '../input/event-time.ts'
import { defaultSideInput } from '../input/side-input.ts'
import { LOOPS } from '../loops/all.ts'
import { timeOf } from '../model/events.ts'
import { moment, RUN_MARK, warmUpOf } from './measured-run.ts'
import { PreparedEvents } from './prepared-events.ts'

/** Watermarks come so often: at these rates about as often as the engine makes them. */
const WATERMARK_EVENTS = 200_000

const [name = '', count = '0', , seed = '1'] = process.argv.slice(2)
const factory = LOOPS[name]
if (factory === undefined) throw new RangeError(`there is no loop for ${name}`)
const emitted = { rows: 0, fields: 0 }
const loop = factory(row => {
  emitted.rows++
  // The row is looked at, so that making it cannot be left out.
  for (const _ in row) {
    emitted.fields++
    break
  }
}, defaultSideInput())
const events = new PreparedEvents(Number(seed), 0, 1)

function run(from: number, to: number): void {
  let latest = 0
  for (let position = from; position < to; position++) {
    const event = events.at(position)
    const time = timeOf(event)
    if (time > latest) latest = time
    loop.event(event)
    if (position % WATERMARK_EVENTS === 0) loop.advance?.(latest - OUT_OF_ORDERNESS_MS)
  }
}

const warmUp = warmUpOf(Number(count))
run(0, warmUp)
const from = moment()
run(warmUp, Number(count))
console.log(RUN_MARK + JSON.stringify({ events: Number(count) - warmUp, from, to: moment() }))
