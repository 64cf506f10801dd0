import type { AuthLogger, LogFields } from '../options.ts'

/** A run that is long and mixed enough to be a token, a code, an id or a key. Our own words and paths have no digits. */
const TOKEN_SHAPE = /(?=[\w.~+=-]*\d)(?=[\w.~+=-]*[A-Za-z])[\w.~+=-]{20,}/g

/** Line ends and other controls, which could forge a second line. */
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu

const LONGEST_TEXT = 500

/**
 * A logger behind a net: known secrets and whatever has the shape of one are replaced by `[redacted]`, texts are cut at
 * 500 characters and keep to one line. Nothing secret is logged in the first place; the net is for the day it is. A
 * logger that throws harms no request.
 *
 * @param secrets - texts to look for, whatever their shape.
 */
export function redactingLogger(logger: AuthLogger, secrets: readonly string[]): AuthLogger {
  const clean = (text: string): string =>
    secrets
      .reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
      .slice(0, LONGEST_TEXT)
      .replace(TOKEN_SHAPE, '[redacted]')
      .replace(CONTROLS, ' ')

  const at =
    (level: keyof AuthLogger) =>
    (line: string, fields: LogFields = {}): void => {
      const cleaned = Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? clean(value) : value,
      ])
      try {
        logger[level](clean(line), Object.freeze(Object.fromEntries(cleaned) as LogFields))
      } catch {
        // There is nowhere left to say so.
      }
    }

  return Object.freeze<AuthLogger>({ info: at('info'), warn: at('warn'), error: at('error') })
}
