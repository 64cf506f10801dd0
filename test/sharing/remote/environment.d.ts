/** Which build this is. */
declare const BUNDLER: string
