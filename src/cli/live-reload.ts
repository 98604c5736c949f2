import type { Server } from "../index.ts";
import { codeOf, Failure, messageOf } from "./failure.ts";
import { watchFolder } from "./watching.ts";

/** Below a name with a dot, which no file has that is served. */
const SCRIPT_PATH = "/.portico/live.js";
const SOCKET_PATH = "/.portico/live";
const TOPIC = "live";

// A WebSocket and no event stream: browsers keep six HTTP connections to a server, and every page would hold one.
// The version in its own address is that of the page. A page that a cache keeps is loaded again once for each version.
const SCRIPT = `(() => {
  const { src } = document.currentScript;
  const key = "portico-live";
  const shown = src.split("?")[1];
  const url = new URL("${SOCKET_PATH}", src);
  url.protocol = url.protocol.replace("http", "ws");
  const connect = () => {
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => {
      if (data === shown) return;
      let tried;
      try {
        tried = sessionStorage[key];
        sessionStorage[key] = data;
      } catch {}
      if (data !== tried) location.reload();
    };
    socket.onclose = () => setTimeout(connect, 500);
  };
  connect();
})();
`;

/**
 * Makes open pages reload when something changes below a folder.
 * @returns a function that adds the script for reloading to a page
 * @throws Failure if the folder cannot be watched
 */
export function serveReloads(server: Server, root: string): (html: string) => string {
  /** Another one after each change, and after a restart. */
  let version = Date.now();
  server.get(SCRIPT_PATH, (exchange) => {
    exchange.setHeader("Content-Type", "text/javascript").setHeader("Cache-Control", "no-cache").end(SCRIPT);
  });
  server.websocket(SOCKET_PATH, {
    open: (socket) => {
      socket.subscribe(TOPIC);
      // The folder can have changed since the page was sent.
      socket.send(String(version));
    },
  });
  try {
    server.onClose(watchFolder(root, () => server.publish(TOPIC, String(++version))));
  } catch (error) {
    const reason =
      codeOf(error) === "ENOSPC"
        ? "the system watches too many files (fs.inotify.max_user_watches)"
        : messageOf(error);
    throw new Failure(`Cannot watch ${root} for --live: ${reason}`);
  }
  return (html) => {
    const tag = `<script src="${SCRIPT_PATH}?${version}" async></script>`;
    const end = html.toLowerCase().lastIndexOf("</body");
    return end < 0 ? html + tag : html.slice(0, end) + tag + html.slice(end);
  };
}
