import type { OperatorContext, OperatorFactory, Push } from '../contract/stream-operator.ts'
import { RecordChanged } from '../errors.ts'
import { describeValue } from '../functions/user-function-failure.ts'
import { RecordGuard } from './record-guard.ts'

/** The first records of each output are all guarded, of the others one in so many. */
const FIRST = 64
const ONE_IN = 16

/**
 * An operator whose emitted records are guarded against changes, for development: a function that writes to a record
 * that it was handed, or that it emitted before, fails the job (operators.record-changed). A sample of the records only.
 * @param consumers names of the operators that get its records
 */
export function withRecordChecks(factory: OperatorFactory, consumers: readonly string[]): OperatorFactory {
  if (consumers.length === 0) return factory
  return { ...factory, create: context => factory.create(guardedContext(context, consumers)) }
}

function guardedContext(context: OperatorContext, consumers: readonly string[]): OperatorContext {
  const tags = new Map<string, Push>()
  // Not a copy: some of what the context has is an error to ask for.
  return Object.create(context, {
    recordsChecked: { value: true },
    out: { value: guardedPush(context, context.out, consumers) },
    sideOutput: {
      value: (tag: string): Push => {
        const known = tags.get(tag) ?? guardedPush(context, context.sideOutput(tag), consumers)
        tags.set(tag, known)
        return known
      },
    },
  })
}

function guardedPush(context: OperatorContext, out: Push, consumers: readonly string[]): Push {
  const guard = new RecordGuard()
  const changed = (who: string, record: unknown): void => {
    const field = guard.changedField()
    if (field === undefined) return
    throw RecordChanged({
      operator: who,
      function: 'a function',
      subtask: context.subtaskIndex,
      field,
      input: `record ${describeValue(record)} of '${context.operatorName}'`,
    })
  }
  let last: unknown
  const send = (record: object): void => {
    // Whoever kept it after it was emitted: the operator itself, or one behind it that works later.
    changed([context.operatorName, ...consumers].join("' or '"), last)
    guard.protect(record)
    last = record
    out(record)
    changed(consumers.join("' or '"), record)
  }
  return context.generate<Push>(
    ['out', 'send'],
    `let n = 0
return value => {
  if (typeof value !== 'object' || value === null || (n++ >= ${FIRST} && n % ${ONE_IN} !== 0)) out(value)
  else send(value)
}`,
    [out, send],
  )
}
