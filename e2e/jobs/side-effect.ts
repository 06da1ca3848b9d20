// Writes a file before execute, where each replay would write it again.
import { writeFileSync } from 'node:fs'
import { StreamExecutionEnvironment } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const [file = '', captured] = env.args
if (captured === undefined) writeFileSync(file, 'once')
else env.capture('file', () => writeFileSync(file, 'once'))
env.fromElements(1, 2, 3).print()
await env.execute('side effect')
