// Builds a job and forgets to run it.
import { DiscardingSink, StreamExecutionEnvironment } from 'flink-ts'

StreamExecutionEnvironment.getExecutionEnvironment().fromElements(1, 2).sinkTo(new DiscardingSink())
