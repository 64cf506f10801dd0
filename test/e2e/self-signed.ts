import { generateKeyPairSync, sign } from 'node:crypto'

/** What `https.createServer` takes. */
export interface Credentials {
  readonly key: string
  readonly cert: string
}

/** DER, X.690: tag, length, content. */
function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...contents: Uint8Array[]): Buffer => der(0x30, ...contents)
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value))

/**
 * A key and a certificate for localhost that this process signed itself (RFC 5280), good enough for a browser that is
 * told to ignore who signed it. Browsers send reports from https alone.
 */
export function selfSigned(): Credentials {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = sequence(der(0x06, hex('2a8648ce3d040302')))
  const name = sequence(der(0x31, sequence(der(0x06, hex('550403')), text(0x0c, 'localhost'))))
  const names = sequence(text(0x82, 'localhost'), der(0x87, hex('7f000001')))
  const certificate = sequence(
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, hex('01')),
    ecdsaWithSha256,
    name,
    sequence(text(0x17, '250101000000Z'), text(0x17, '491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(der(0x06, hex('551d11')), der(0x04, names)))),
  )
  const signature = sign('sha256', certificate, privateKey)
  const cert = sequence(certificate, ecdsaWithSha256, der(0x03, hex('00'), signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert.toString('base64')}\n-----END CERTIFICATE-----\n`,
  }
}
