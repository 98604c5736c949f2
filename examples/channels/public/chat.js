import { Client } from "/client.js";

const $ = (id) => document.getElementById(id);
const name = new URLSearchParams(location.search).get("name") ?? `guest ${Math.floor(Math.random() * 1000)}`;
const states = {
  connecting: "connecting",
  open: "connected",
  waiting: "disconnected, and trying again",
  offline: "offline",
  closed: "refused",
};

function add(text, className = "") {
  const item = document.createElement("li");
  item.textContent = text;
  item.className = className;
  $("messages").append(item);
  item.scrollIntoView({ block: "nearest" });
}

function showMembers() {
  const items = room.members.map(({ user }) => {
    const item = document.createElement("li");
    item.textContent = user;
    return item;
  });
  $("members").replaceChildren(...items);
}

const client = new Client(`${location.origin.replace("http", "ws")}/channels`, {
  token: name,
  onState(state) {
    $("state").textContent = states[state];
    $("state").dataset.state = state;
  },
});

function join(title) {
  $("messages").replaceChildren();
  return client.subscribe(`room:${title}`, {
    history: 50,
    onMessage: ({ user, text }) => add(`${user}: ${text}`),
    onMissed: () => add("Some messages are missing here.", "note"),
    onSubscribed: showMembers,
    onJoin: showMembers,
    onLeave: showMembers,
  });
}

$("me").textContent = name;
let room = join($("room").value);
$("room").onchange = () => {
  room.unsubscribe();
  room = join($("room").value);
};
document.forms[0].onsubmit = async (event) => {
  event.preventDefault();
  const { value } = $("text");
  $("text").value = "";
  try {
    if (value !== "") await room.publish(value);
  } catch (error) {
    add(`“${value}” was perhaps not sent: ${error.message}`, "note");
  }
};
