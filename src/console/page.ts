/** The page: one document without outside parts. It reconnects by itself when the server comes back. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Portico</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent);
          --soft: color-mix(in srgb, currentColor 62%, transparent); --accent: #2f7dd1; }
  * { box-sizing: border-box; }
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.6rem; margin: 0; }
  h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
  header { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: baseline; margin-bottom: 1.2rem; }
  #state { font-size: .9rem; color: var(--soft); }
  #state::before { content: "●"; margin-right: .4em; color: #c0392b; }
  #state.open::before { color: #2e9e5b; }
  main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); }
  section { border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; min-width: 0; }
  dl { display: grid; grid-template-columns: 1fr auto; gap: .15rem 1rem; margin: 0; }
  dt { color: var(--soft); }
  dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
  svg { width: 100%; height: 4rem; margin-top: .8rem; border-bottom: 1px solid var(--line); }
  polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
  form { display: flex; gap: .5rem; }
  input { flex: 1; min-width: 0; }
  input, button { font: inherit; padding: .35rem .6rem; border: 1px solid var(--line); border-radius: .4rem; }
  button { background: var(--accent); color: #fff; border-color: transparent; cursor: pointer; }
  button:disabled { opacity: .5; cursor: default; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  #chat { height: 11rem; overflow-y: auto; margin: 0 0 .6rem; padding: 0; list-style: none; overflow-wrap: anywhere; }
  #chat b { font-weight: 600; }
  output { display: block; margin-top: .6rem; min-height: 1.5em; overflow-wrap: anywhere; }
</style>
</head>
<body>
<header><h1>Portico</h1><span id="state" role="status">connecting</span></header>
<main>
  <section aria-labelledby="live">
    <h2 id="live">Server, live over WebSocket</h2>
    <dl>
      <dt>up</dt><dd id="uptimeSeconds">–</dd>
      <dt>memory</dt><dd id="memoryBytes">–</dd>
      <dt>connections</dt><dd id="connections">–</dd>
      <dt>WebSockets</dt><dd id="webSockets">–</dd>
      <dt>requests</dt><dd id="requests">–</dd>
      <dt>messages in / out</dt><dd id="messages">–</dd>
    </dl>
    <svg viewBox="0 0 60 20" preserveAspectRatio="none" role="img" aria-label="messages sent per second, last minute">
      <polyline id="plot" points=""/></svg>
  </section>
  <section aria-labelledby="talk">
    <h2 id="talk">Chat with every open page</h2>
    <ul id="chat" aria-live="polite"></ul>
    <form id="say"><input name="text" aria-label="message" maxlength="500" autocomplete="off" required>
      <button disabled>Send</button></form>
  </section>
  <section aria-labelledby="http">
    <h2 id="http">Ask over HTTP</h2>
    <form id="echo"><input name="text" aria-label="text to send back" value="Hello, Portico" required>
      <button>POST /echo</button></form>
    <output id="answer" for="echo"></output>
  </section>
</main>
<script>
const $ = (id) => document.getElementById(id);
let socket, me = "", delay = 250, before, rates = [];
function show(s) {
  $("uptimeSeconds").textContent = s.uptimeSeconds + " s";
  $("memoryBytes").textContent = (s.memoryBytes / 1048576).toFixed(1) + " MiB";
  for (const name of ["connections", "webSockets", "requests"]) $(name).textContent = s[name].toLocaleString();
  $("messages").textContent = s.messagesReceived.toLocaleString() + " / " + s.messagesSent.toLocaleString();
  if (before && s.messagesSent >= before.messagesSent) rates.push(s.messagesSent - before.messagesSent);
  before = s;
  rates = rates.slice(-60);
  const top = Math.max(1, ...rates);
  $("plot").setAttribute("points", rates.map((r, i) => (60 - rates.length + i) + "," + (19 - 18 * r / top)).join(" "));
}
function line(name, text) {
  const item = document.createElement("li"), who = document.createElement("b");
  who.textContent = name + (name === me ? " (you)" : "") + ": ";
  item.append(who, text);
  $("chat").append(item);
  while ($("chat").children.length > 200) $("chat").firstChild.remove();
  $("chat").scrollTop = $("chat").scrollHeight;
}
function open() {
  socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/live");
  socket.onopen = () => { delay = 250; $("state").textContent = "connected"; $("state").className = "open";
    $("say").querySelector("button").disabled = false; };
  socket.onmessage = ({ data }) => { const m = JSON.parse(data);
    if (m.type === "status") show(m); else if (m.type === "chat") line(m.name, m.text); else me = m.name; };
  socket.onclose = () => { $("state").textContent = "connection lost, trying again"; $("state").className = "";
    $("say").querySelector("button").disabled = true;
    setTimeout(open, delay = Math.min(delay * 2, 4000)); };
}
$("say").onsubmit = (event) => { event.preventDefault();
  if (socket.readyState === 1) { socket.send(event.target.text.value); event.target.reset(); } };
$("echo").onsubmit = async (event) => { event.preventDefault();
  const begun = performance.now();
  try {
    const response = await fetch("/echo", { method: "POST", body: event.target.text.value });
    const text = await response.text();
    $("answer").textContent = response.status + ": " + text + " (" + (performance.now() - begun).toFixed(1) + " ms)";
  } catch (error) { $("answer").textContent = String(error); } };
open();
</script>
</body>
</html>
`;
