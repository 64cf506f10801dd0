import type { Context } from 'hono'

export interface HtmlPage {
  readonly status: 200 | 400 | 503
  readonly title: string
  readonly text: string
  readonly link: { readonly href: string; readonly text: string }
  /** Goes to the link at once, by itself. */
  readonly follow?: boolean
}

/**
 * Answers with a small page of our own: no script, no style, nothing loaded, and a policy that forbids all of it.
 * Everything is escaped; `link.href` must be an address of the app's own origin.
 */
export function htmlPage(c: Context, page: HtmlPage): Response {
  const href = escapeHtml(page.link.href)
  const refresh =
    page.follow === true ? `\n<meta http-equiv="refresh" content="0;url=${href}">` : ''
  c.header(
    'Content-Security-Policy',
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  return c.html(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">${refresh}
<title>${escapeHtml(page.title)}</title>
<h1>${escapeHtml(page.title)}</h1>
<p>${escapeHtml(page.text)}</p>
<p><a href="${href}">${escapeHtml(page.link.text)}</a></p>
</html>
`,
    page.status,
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
