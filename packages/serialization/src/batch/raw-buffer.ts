/** The Buffer methods that Node has without declaring them: no argument checks, and they work on shared memory. */
export interface RawBuffer extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  ucs2Slice(start: number, end: number): string
  utf8Write(text: string, offset: number, maxBytes?: number): number
  ucs2Write(text: string, offset: number): number
}
