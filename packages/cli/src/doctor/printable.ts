/** Longest text from a server that is repeated, in characters. */
const LONGEST = 300

/**
 * Text from a server as it may go to a terminal: without control characters, which could be commands to it, and not too
 * long.
 */
export function printable(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain
}
