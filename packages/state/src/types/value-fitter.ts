import { inspect } from 'node:util'
import type { StateDescriptor } from '../api/state-descriptor.ts'
import type { StateType } from '../api/state-type.ts'
import { IncompatibleType, MigrationFailed } from '../errors.ts'
import { fitValue } from './fit-value.ts'
import { describeType } from './infer-type.ts'

/**
 * Fits single stored values to a descriptor's type, by its `migrate` where that is needed. The function it gives throws
 * `state.incompatible-type` and `state.migration-failed`.
 */
export function valueFitter(
  descriptor: StateDescriptor<unknown>,
  type: StateType,
): (value: unknown, key: unknown) => unknown {
  const { name } = descriptor
  const migrate = descriptor.migrate as ((stored: unknown) => unknown) | undefined
  return (value, key) => {
    const fitted = fitValue(value, type)
    if (migrate === undefined) {
      if ('conflict' in fitted) throw IncompatibleType({ name, ...fitted.conflict })
      return fitted.value
    }
    if ('value' in fitted && fitted.value === value) return value
    const shownKey = inspect(key, { depth: 1, maxStringLength: 80 })
    let migrated: unknown
    try {
      migrated = migrate(value)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw MigrationFailed({ name, key: shownKey, reason }, error)
    }
    const result = fitValue(migrated, type)
    if ('value' in result) return result.value
    const { field, stored, declared } = result.conflict
    const reason = `its result has ${field} of type ${stored}, but ${declared} is declared (${describeType(type)} in all)`
    throw MigrationFailed({ name, key: shownKey, reason })
  }
}
