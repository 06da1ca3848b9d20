/** Bytes behind the content of a local copy. */
export const COPY_TAIL_BYTES = 8

const MAGIC = 0x31_43_4c_46

/** What ends a whole copy: a mark and the CRC-32 of its content. Copies do not outlive their process: no version. */
export function copyTail(crc: number): Buffer {
  const tail = Buffer.alloc(COPY_TAIL_BYTES)
  tail.writeUInt32LE(MAGIC, 0)
  tail.writeUInt32LE(crc >>> 0, 4)
  return tail
}
