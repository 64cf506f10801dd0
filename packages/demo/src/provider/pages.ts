import { PERSON } from './person.ts'

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/provider.css">
</head>
<body><main>${body}</main></body>
</html>`

export const signInPage = (uid: string): string =>
  page(
    'Sign in · Demo Identity',
    `<p class="brand"><span aria-hidden="true"></span>Demo Identity</p>
<h1>Sign in</h1>
<p class="lead">to continue to <strong>Secure Token Bridge</strong></p>
<form method="post" action="/interaction/${encodeURIComponent(uid)}">
<div class="person"><span class="avatar" aria-hidden="true">AL</span>
<span><strong>${PERSON.name}</strong><br><small>${PERSON.email}</small></span></div>
<button type="submit" data-testid="provider-sign-in">Continue as Ada</button>
</form>
<p class="note">A real OpenID provider that runs inside the demo. It keeps its sessions in memory.</p>`,
  )

/** Ends the provider's session without asking again: the person has just asked for it in the app. */
export const logoutPage = (form: string): string =>
  page(
    'Signing out · Demo Identity',
    `<p class="brand"><span aria-hidden="true"></span>Demo Identity</p>
<h1>Signing out…</h1>${form}
<input type="hidden" name="logout" value="yes" form="op.logoutForm">
<noscript><button type="submit" form="op.logoutForm">Sign out</button></noscript>
<script src="/assets/submit.js"></script>`,
  )

export const messagePage = (title: string, text: string): string =>
  page(
    title,
    `<p class="brand"><span aria-hidden="true"></span>Demo Identity</p><h1>${title}</h1><p class="lead">${text}</p>`,
  )
