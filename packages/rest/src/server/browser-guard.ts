import { isLoopback } from '@flink-ts/common'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ForeignPage } from '../errors.ts'

/** What can be reached by links, and does more than show something. */
const ACTING_LINK = /\/(yarn-cancel|yarn-stop)$|\/jars\/[^/]+\/plan$/

/**
 * Refuses what a page of somebody else makes a browser send: such requests reach loopback and whatever the browser
 * reaches, and could run programs here. Programs that are no browsers send none of the headers this looks at. For
 * servers that demand no token; a token is nothing that a browser adds by itself.
 * @param options loopbackOnly: only pages that this machine serves may do more than look, whatever name they give it
 *   (DNS rebinding)
 */
export function refuseForeignPages(app: FastifyInstance, options: { readonly loopbackOnly: boolean }): void {
  app.addHook('onRequest', async request => {
    const { method, headers } = request
    const path = request.url.split('?', 1)[0] ?? ''
    const looks = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
    if (looks && !ACTING_LINK.test(path)) return
    const site = headers['sec-fetch-site']
    // Nothing of it comes from programs that are no browsers. `none`: typed in by the user.
    const fromPage = headers.origin !== undefined || (site !== undefined && site !== 'none')
    if (!fromPage) return
    const foreign = isForeign(request) || (options.loopbackOnly && !isLoopback(hostnameOf(request)))
    if (foreign) throw ForeignPage({ origin: headers.origin ?? `a page (${site})`, host: headers.host ?? '' })
  })
}

function isForeign({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site === 'cross-site' || site === 'same-site') return true
  const { origin } = headers
  if (origin === undefined) return false
  // `null` of sandboxed pages, and whatever else is no address.
  return !URL.canParse(origin) || new URL(origin).host !== headers.host
}

function hostnameOf({ headers }: FastifyRequest): string {
  const url = `http://${headers.host ?? ''}`
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : ''
}
