// Visitors with the name of their country, which an HTTP service knows: twenty requests at a time in each subtask,
// with retries and a time limit. Start the service first:
//
//   node examples/datastream/src/country-service.ts 8090
//   node examples/datastream/src/async-enrichment.ts --service http://127.0.0.1:8090
import { AsyncRetryStrategies, ParameterTool, StreamExecutionEnvironment } from 'flink-ts'

interface Visitor {
  readonly id: number
  readonly country: string
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
const service = parameters.getRequired('service')
env.setParallelism(parameters.getInt('parallelism', env.getParallelism()))

env
  .fromSequence(1, parameters.getInt('visitors', 100))
  .map((id): Visitor => ({ id, country: ['de', 'fr', 'it'][id % 3] as string }))
  .mapAsync(
    async (visitor, { signal }) => {
      const response = await fetch(`${service}/countries/${visitor.country}`, { signal })
      if (!response.ok) throw new Error(`The service answered ${response.status}`)
      const { name } = (await response.json()) as { name: string }
      return `${visitor.id} ${name}`
    },
    { capacity: 20, timeout: '10 s', retry: AsyncRetryStrategies.fixedDelay(3, '50 ms') },
  )
  .print()

await env.execute('async enrichment')
