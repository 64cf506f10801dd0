/** The files of the provider's pages; external, because its policy allows nothing inline. */
export const ASSETS: Readonly<Record<string, { readonly type: string; readonly body: string }>> = {
  '/assets/submit.js': {
    type: 'text/javascript; charset=utf-8',
    body: `document.getElementById('op.logoutForm').submit()\n`,
  },
  '/assets/provider.css': {
    type: 'text/css; charset=utf-8',
    body: `:root{color-scheme:light dark;--page:#eef0f6;--card:#fff;--text:#161a2b;--soft:#5a6178;--line:#dfe3ee;--accent:#4f46e5;--on:#fff}
@media (prefers-color-scheme:dark){:root{--page:#0c0f1a;--card:#151a2b;--text:#eef0fa;--soft:#9aa3bf;--line:#283049;--accent:#8b8cff;--on:#0c0f1a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:min(25rem,100%);background:var(--card);border:1px solid var(--line);border-radius:18px;padding:2.25rem;box-shadow:0 1px 2px #0001,0 18px 50px -20px #0004}
.brand{display:flex;align-items:center;gap:.6rem;margin:0 0 1.75rem;font-weight:600;font-size:.9rem;color:var(--soft)}
.brand span{width:1.1rem;height:1.1rem;border-radius:50%;background:conic-gradient(from 210deg,#4f46e5,#06b6d4,#4f46e5)}
h1{margin:0;font-size:1.6rem;letter-spacing:-.02em}
.lead{margin:.25rem 0 1.5rem;color:var(--soft)}
.lead strong{color:var(--text);font-weight:600}
.person{display:flex;align-items:center;gap:.9rem;padding:.9rem 1rem;border:1px solid var(--line);border-radius:12px;margin-bottom:1rem}
.person small{color:var(--soft)}
.avatar{display:grid;place-items:center;width:2.6rem;height:2.6rem;border-radius:50%;background:var(--accent);color:var(--on);font-weight:600;font-size:.9rem}
button{width:100%;padding:.8rem 1rem;border:0;border-radius:12px;background:var(--accent);color:var(--on);font:inherit;font-weight:600;cursor:pointer}
button:hover{filter:brightness(1.08)}
button:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
.note{margin:1.5rem 0 0;font-size:.82rem;color:var(--soft)}
`,
  },
}
