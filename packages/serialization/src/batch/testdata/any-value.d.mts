import type fc from 'fast-check'

export const anyValue: fc.Arbitrary<unknown>
export function same(a: unknown, b: unknown): boolean
