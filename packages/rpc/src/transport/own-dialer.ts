import type { Dialer, Link } from '../session/link.ts'
import type { SessionHost } from '../session/session-host.ts'
import { MemoryLink } from './memory-link.ts'

/** Opens links from a process to its own endpoints, through memory. */
export class OwnDialer implements Dialer {
  readonly #host: SessionHost

  constructor(host: SessionHost) {
    this.#host = host
  }

  dial(): Link {
    const near = new MemoryLink({ watched: false, post: queueMicrotask })
    const far = new MemoryLink({ watched: false, post: queueMicrotask })
    MemoryLink.join(near, far)
    this.#host.accept(far)
    return near
  }
}
