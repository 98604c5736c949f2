// The browser's side: sends inputs, shows the own player at once, and the others a moment late but smoothly.
import { GameSocket, Snapshots } from "./client/index.js";
import { decodeSnapshot, encodeInput } from "./protocol.js";
import { move, rules } from "./rules.js";

const STEP_MS = 1000 / rules.ticksPerSecond;
/** Without an answer to so many inputs the own player stands still, too. */
const MAX_UNANSWERED = 30;
const MAX_STEPS_AT_ONCE = 5;
const STICK_PIXELS = 60;
/** The close code when another tab has taken the seat. */
const REPLACED = 4001;

const canvas = document.getElementById("arena");
const scores = document.getElementById("scores");
const state = document.getElementById("state");
const form = document.getElementById("enter");
const context = canvas.getContext("2d");

const snapshots = new Snapshots({ delayMs: 100 });
/** What belongs to one connection. */
let own = { id: 0, seq: 0, unanswered: [], position: undefined, shown: undefined };
let socket;

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
  const url = new URL(`play?${new URLSearchParams({ name, arena })}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new GameSocket(url, {
    seat: sessionStorage.getItem("seat") ?? "",
    onMessage: (data) => {
      if (typeof data === "string") takeSeat(JSON.parse(data));
      else takeSnapshot(decodeSnapshot(new Uint8Array(data)));
    },
    onClose: (code, reason) => {
      const why = code === 1001 ? "The server is stopping" : reason || "The connection is lost";
      if (code === REPLACED) state.textContent = "You play in another tab";
      // Attempts that fail meanwhile say nothing new.
      else if (!state.textContent.endsWith("…")) state.textContent = `${why}. Trying again …`;
      return code !== REPLACED;
    },
  });
}

/** The tab keeps its seat, and gets it again after a lost connection or a reload. */
function takeSeat({ seat, you }) {
  sessionStorage.setItem("seat", seat);
  socket.seat = seat;
  snapshots.clear();
  own = { id: you, seq: 0, unanswered: [], position: undefined, shown: undefined };
  state.textContent = "";
}

function takeSnapshot(snapshot) {
  snapshots.add(snapshot.timeMs, snapshot);
  const seen = snapshot.players.find(({ id }) => id === own.id);
  if (seen === undefined) return;
  // The server is right; inputs that it has not applied yet are played again on top of that.
  own.unanswered = own.unanswered.filter(({ seq }) => seq > snapshot.ack);
  own.position = own.unanswered.reduce((from, { dx, dy }) => move(from, dx, dy), seen);
}

/** One tick of the own player: sent, and shown without waiting for the answer. */
function step() {
  const [dx, dy] = push();
  if (own.position === undefined || socket.state !== "open") return;
  if ((dx === 0 && dy === 0) || own.unanswered.length >= MAX_UNANSWERED) return;
  const input = { seq: ++own.seq, dx, dy };
  socket.send(encodeInput(input));
  own.unanswered.push(input);
  own.position = move(own.position, dx, dy);
}

// Like the server's loop: as many steps as time has had, or a browser's timers would make a few too many.
let steps = 0;
setInterval(() => {
  const due = Math.floor(performance.now() / STEP_MS);
  for (steps = Math.max(steps, due - MAX_STEPS_AT_ONCE); steps < due; steps++) step();
}, STEP_MS / 4);

// The picture.

function draw() {
  requestAnimationFrame(draw);
  context.fillStyle = "#0e141b";
  context.fillRect(0, 0, rules.width, rules.height);
  const { latest } = snapshots;
  const around = snapshots.at(socket?.clock.serverMs ?? 0);
  if (around === undefined) return;
  if (own.shown !== undefined) disc(own.shown, rules.sight, "#1b2430");
  for (const coin of latest.coins) disc(coin, rules.coinRadius, "#f2c14e");
  // The others where they were a moment ago, between two snapshots.
  for (const player of around.to.players) {
    const from = around.from.players.find(({ id }) => id === player.id) ?? player;
    if (player.id !== own.id) show({ ...player, ...between(from, player, around.share) });
  }
  const self = latest.players.find(({ id }) => id === own.id);
  if (self === undefined || own.position === undefined) return;
  // The picture is drawn more often than the player moves: half of the way each time.
  own.shown = between(own.shown ?? own.position, own.position, 0.5);
  show({ ...self, ...own.shown });
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
  const players = [...(snapshots.latest?.players ?? [])].sort((a, b) => b.score - a.score);
  scores.replaceChildren(
    ...players.slice(0, 10).map(({ id, name, score }) => {
      const item = document.createElement("li");
      // Names come from others: as text, never as HTML.
      item.textContent = `${name} ${score}`;
      item.style.color = colour(id);
      item.classList.toggle("you", id === own.id);
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
