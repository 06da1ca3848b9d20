import { signal } from '@preact/signals'

/** Where the page is: what stands behind `#`. */
export interface Route {
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

/** Owned by this file: follows the address bar. */
export const route = signal<Route>(routeOf(location.hash))

addEventListener('hashchange', () => {
  const before = route.value.path.join('/')
  route.value = routeOf(location.hash)
  if (route.value.path.join('/') !== before) scrollTo(0, 0)
})

/** Address of a place; parts may hold any character. */
export function href(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`
}

/** Goes to a place; Back comes back. */
export function go(path: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = href(path, query)
}

function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // Typed by hand.
  }
}
