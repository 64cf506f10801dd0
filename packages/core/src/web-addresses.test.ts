import { afterEach, describe, expect, it, vi } from 'vitest'
import { captureWebAddresses } from './web-addresses.ts'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('captureWebAddresses', () => {
  it('reads by the realm as it stood, whatever a remote puts in its place later', () => {
    const addresses = captureWebAddresses()
    vi.stubGlobal('Request', function forged() {
      return { url: 'https://api.test/' }
    })
    const request = addresses.copy('https://evil.test/x' as unknown as Request)
    // Only now: Node's own Request is written in JavaScript and uses the global URL.
    vi.stubGlobal('URL', function forged() {
      return { origin: 'https://api.test', href: 'https://evil.test/' }
    })
    expect(addresses.urlOf(request)).toBe('https://evil.test/x')
    expect(addresses.parse('/orders', 'https://evil.test/')).toEqual({
      origin: 'https://evil.test',
      href: 'https://evil.test/orders',
    })
  })

  it('reads by the getters as they stood', () => {
    const addresses = captureWebAddresses()
    vi.spyOn(URL.prototype, 'origin', 'get').mockReturnValue('https://api.test')
    vi.spyOn(Request.prototype, 'url', 'get').mockReturnValue('https://api.test/')
    vi.spyOn(Request.prototype, 'clone').mockImplementation(() => new Request('https://evil.test/'))
    const request = new Request('https://evil.test/x', { method: 'PUT' })
    expect(addresses.urlOf(addresses.clone(request))).toBe('https://evil.test/x')
    expect(addresses.parse('https://evil.test/', undefined).origin).toBe('https://evil.test')
  })
})
