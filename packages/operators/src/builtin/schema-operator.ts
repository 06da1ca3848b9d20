import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import { AsyncFunctionNotSupported, SchemaRefused } from '../errors.ts'
import { describeValue, failureAtRecord } from '../functions/user-function-failure.ts'
import { pathText, type SchemaResult, type StandardSchema, valueAt } from '../types/standard-schema.ts'

/**
 * Hands on what a schema makes of each record, and fails at the first one that it refuses. Timestamps stay.
 * @param from the operator whose records these are, and where the schema was declared, for messages
 */
export function schemaOperator(
  schema: StandardSchema,
  from: { readonly operator: () => string; readonly place: string | undefined },
): OperatorFactory {
  const { validate } = schema['~standard']
  return {
    kind: 'schema',
    create(context: OperatorContext): StreamOperator {
      const refuse = (result: SchemaResult<unknown> | Promise<unknown>, record: unknown): never => {
        if (!('issues' in result) || result.issues === undefined) {
          Promise.resolve(result).catch(() => undefined)
          throw AsyncFunctionNotSupported({ operator: from.operator(), function: 'The schema' })
        }
        const [first] = result.issues
        throw SchemaRefused({
          operator: from.operator(),
          subtask: context.subtaskIndex,
          field: pathText(first?.path),
          value: describeValue(valueAt(record, first?.path)),
          problem: first?.message ?? 'no reason given',
          more: Math.max(0, result.issues.length - 1),
          record: describeValue(record),
          place: from.place,
        })
      }
      const processElement = context.generate<Push>(
        ['validate', 'out', 'refuse', 'failed'],
        `return record => {
  let result
  try { result = validate(record) } catch (error) { throw failed(error, record) }
  if (result.issues !== undefined || !('value' in result)) refuse(result, record)
  out(result.value)
}`,
        [validate, context.out, refuse, failureAtRecord(context, 'the schema')],
      )
      return { processElement, emitsOneEach: true }
    },
  }
}
