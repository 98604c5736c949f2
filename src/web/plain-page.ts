const STYLE = `:root{color-scheme:light dark}
body{max-width:46rem;margin:0 auto;padding:2.5rem 1.25rem;font:1rem/1.6 system-ui,sans-serif;
background:light-dark(#f6f7f9,#14171c);color:light-dark(#1b2027,#e6e9ee)}
h1{margin:0 0 1.25rem;font-size:1.375rem;overflow-wrap:anywhere}
a{color:light-dark(#1d5fbf,#7db1ff);text-decoration:none}
a:hover,a:focus{text-decoration:underline}
p{max-width:36rem}
ul{margin:0;padding:0;list-style:none;border-top:1px solid light-dark(#d9dee5,#343b46)}
li{display:flex;gap:1rem;justify-content:space-between;padding:.375rem 0;border-bottom:1px solid light-dark(#d9dee5,#343b46)}
li a{flex:1;overflow-wrap:anywhere}
.folder a{font-weight:600}
small{color:light-dark(#566070,#a3adbb);font-size:.875rem;font-variant-numeric:tabular-nums;white-space:nowrap}`;

/**
 * Returns a small page with a style, in light or dark as the system is.
 * @param title text of the title and the heading
 * @param content HTML below the heading
 */
export function plainPage(title: string, content: string): string {
  const text = escapeHtml(title);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text}</title>
<style>${STYLE}</style></head>
<body>
<h1>${text}</h1>
${content}
</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
