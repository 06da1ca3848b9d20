// The pipeline of chain-job.ts as a loop by hand: node benchmarks/smoke/chain-hand.ts <records> <reduce | process>
import { handCount, handReduce } from '../pipelines.ts'
import { beginStretch, STRETCH_MARK, warmUpOf } from './stretch.ts'

const records = Number(process.argv[2])
const loop = process.argv[3] === 'process' ? handCount() : handReduce()
const warmUp = warmUpOf(records)
// In two parts, so that the loop is entered again with what V8 has learned.
loop(0, warmUp / 2)
loop(warmUp / 2, warmUp)
const end = beginStretch()
loop(warmUp, records)
console.log(STRETCH_MARK + JSON.stringify(end(records - warmUp)))
