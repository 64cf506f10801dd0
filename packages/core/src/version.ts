/** The version of this copy of the package, for messages about another copy. A test compares it to `package.json`. */
export const VERSION = '0.1.0'
