// The browser's side: sends inputs, shows the own player at once, and the others a moment late but smoothly.
import { decodeSnapshot, encodeInput } from "./protocol.js";
import { move, rules } from "./rules.js";

const STEP_MS = 1000 / rules.ticksPerSecond;
/** The others are shown so many ticks late, so that there is nearly always a snapshot on either side. */
const DELAY_TICKS = 3;
const KEPT_SNAPSHOTS = 30;
/** Without an answer to so many inputs the own player stands still, too. */
const MAX_UNANSWERED = 30;
const MAX_STEPS_AT_ONCE = 5;
const STICK_PIXELS = 60;
const RETRY_MS = 1000;
/** The close code when another tab has taken the seat. */
const REPLACED = 4001;

const canvas = document.getElementById("arena");
const scores = document.getElementById("scores");
const state = document.getElementById("state");
const form = document.getElementById("enter");
const context = canvas.getContext("2d");

/** Everything of one connection; a new one begins with nothing. */
let game = newGame();

function newGame() {
  return {
    you: 0,
    snapshots: [],
    clockMs: undefined,
    own: undefined,
    shown: undefined,
    seq: 0,
    unanswered: [],
  };
}

// What the player wants.

const held = new Set();
const directions = {
  ArrowLeft: [-1, 0],
  KeyA: [-1, 0],
  ArrowRight: [1, 0],
  KeyD: [1, 0],
  ArrowUp: [0, -1],
  KeyW: [0, -1],
  ArrowDown: [0, 1],
  KeyS: [0, 1],
};
let stick;

addEventListener("keydown", (event) => {
  if (directions[event.code] === undefined || !form.hidden) return;
  held.add(event.code);
  event.preventDefault();
});
addEventListener("keyup", (event) => held.delete(event.code));
addEventListener("blur", () => held.clear());
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  stick = { id: event.pointerId, x: event.clientX, y: event.clientY, dx: 0, dy: 0 };
});
canvas.addEventListener("pointermove", (event) => {
  if (stick?.id !== event.pointerId) return;
  stick.dx = (event.clientX - stick.x) / STICK_PIXELS;
  stick.dy = (event.clientY - stick.y) / STICK_PIXELS;
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    if (stick?.id === event.pointerId) stick = undefined;
  });
}

/** The push of the stick, -127 to 127 each way. */
function push() {
  let [x, y] = stick === undefined ? [0, 0] : [stick.dx, stick.dy];
  for (const code of held) {
    x += directions[code][0];
    y += directions[code][1];
  }
  const whole = (value) => Math.round(Math.max(-1, Math.min(1, value)) * rules.fullPush);
  return [whole(x), whole(y)];
}

// The connection.

function connect(name) {
  const arena = new URLSearchParams(location.search).get("arena") ?? "";
  const seat = sessionStorage.getItem("seat") ?? "";
  const url = new URL(`play?${new URLSearchParams({ name, arena, seat })}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  game = newGame();
  const steps = startSteps(() => step(socket));
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") takeSeat(JSON.parse(data));
    else takeSnapshot(decodeSnapshot(new Uint8Array(data)));
  };
  socket.onclose = ({ code, reason }) => {
    clearInterval(steps);
    const why = code === 1001 ? "The server is stopping" : reason || "The connection is lost";
    state.textContent = code === REPLACED ? "You play in another tab" : `${why}. Trying again …`;
    if (code !== REPLACED) setTimeout(() => connect(name), RETRY_MS);
  };
}

/** The tab keeps its seat, and gets it again after a lost connection or a reload. */
function takeSeat({ seat, you }) {
  sessionStorage.setItem("seat", seat);
  game.you = you;
  state.textContent = "";
}

function takeSnapshot(snapshot) {
  game.snapshots.push(snapshot);
  if (game.snapshots.length > KEPT_SNAPSHOTS) game.snapshots.shift();
  // When tick 0 was, by this clock: followed slowly, so that a snapshot that comes late moves nobody.
  const clockMs = performance.now() - snapshot.tick * STEP_MS;
  const error = clockMs - (game.clockMs ?? clockMs);
  game.clockMs = Math.abs(error) > 1000 ? clockMs : clockMs - error * 0.9;
  const own = snapshot.players.find(({ id }) => id === game.you);
  if (own === undefined) return;
  // The server is right; inputs that it has not applied yet are played again on top of that.
  game.unanswered = game.unanswered.filter(({ seq }) => seq > snapshot.ack);
  game.own = game.unanswered.reduce((from, { dx, dy }) => move(from, dx, dy), own);
}

/** Like the server's loop: as many steps as time has had, or a browser's timers would make a few too many. */
function startSteps(run) {
  const startMs = performance.now();
  let done = 0;
  return setInterval(() => {
    const due = Math.floor((performance.now() - startMs) / STEP_MS);
    done = Math.max(done, due - MAX_STEPS_AT_ONCE);
    for (; done < due; done++) run();
  }, STEP_MS / 4);
}

/** One tick of the own player: sent, and shown without waiting for the answer. */
function step(socket) {
  const [dx, dy] = push();
  if (game.own === undefined || socket.readyState !== WebSocket.OPEN) return;
  if ((dx === 0 && dy === 0) || game.unanswered.length >= MAX_UNANSWERED) return;
  const input = { seq: ++game.seq, dx, dy };
  socket.send(encodeInput(input));
  game.unanswered.push(input);
  game.own = move(game.own, dx, dy);
}

// The picture.

function draw() {
  requestAnimationFrame(draw);
  context.fillStyle = "#0e141b";
  context.fillRect(0, 0, rules.width, rules.height);
  const latest = game.snapshots.at(-1);
  if (latest === undefined) return;
  if (game.shown !== undefined) disc(game.shown, rules.sight, "#1b2430");
  for (const coin of latest.coins) disc(coin, rules.coinRadius, "#f2c14e");
  for (const player of others()) show(player);
  const own = latest.players.find(({ id }) => id === game.you);
  if (own === undefined || game.own === undefined) return;
  // The picture is drawn more often than the player moves: half of the way each time.
  game.shown = between(game.shown ?? game.own, game.own, 0.5);
  show({ ...own, ...game.shown });
}

/** Where the others were a moment ago, between two snapshots. */
function others() {
  const at = (performance.now() - game.clockMs) / STEP_MS - DELAY_TICKS;
  const after = game.snapshots.find(({ tick }) => tick >= at) ?? game.snapshots.at(-1);
  const before = game.snapshots.findLast(({ tick }) => tick < at) ?? after;
  const share = after === before ? 0 : Math.min(1, (at - before.tick) / (after.tick - before.tick));
  return after.players.flatMap((player) => {
    if (player.id === game.you) return [];
    const from = before.players.find(({ id }) => id === player.id) ?? player;
    return [{ ...player, ...between(from, player, share) }];
  });
}

function between(from, to, share) {
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

function show(player) {
  disc(player, rules.playerRadius, colour(player.id));
  context.fillStyle = "#dfe7ef";
  context.font = "18px system-ui, sans-serif";
  context.textAlign = "center";
  const above = player.y / rules.unitsPerPixel - rules.playerRadius - 8;
  context.fillText(player.name, player.x / rules.unitsPerPixel, above);
}

function disc({ x, y }, radius, fill) {
  context.beginPath();
  context.arc(x / rules.unitsPerPixel, y / rules.unitsPerPixel, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
}

/** Neighbouring ids get colours that are far apart. */
function colour(id) {
  return `hsl(${(id * 137) % 360} 70% 60%)`;
}

function showScores() {
  const players = [...(game.snapshots.at(-1)?.players ?? [])].sort((a, b) => b.score - a.score);
  scores.replaceChildren(
    ...players.slice(0, 10).map(({ id, name, score }) => {
      const item = document.createElement("li");
      // Names come from others: as text, never as HTML.
      item.textContent = `${name} ${score}`;
      item.style.color = colour(id);
      item.classList.toggle("you", id === game.you);
      return item;
    }),
  );
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  form.hidden = true;
  connect(new FormData(form).get("name"));
});
setInterval(showScores, 250);
draw();
