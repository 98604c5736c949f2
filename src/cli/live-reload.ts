import type { Server } from "../index.ts";
import { codeOf, Failure, messageOf } from "./failure.ts";
import { watchFolder } from "./watching.ts";

/** Below a name with a dot, which no file has that is served. */
const SCRIPT_PATH = "/.portico/live.js";
const SOCKET_PATH = "/.portico/live";
const TOPIC = "live";

// A WebSocket and no event stream: browsers keep six HTTP connections to a server, and every page would hold one.
const SCRIPT = `(() => {
  const url = new URL("${SOCKET_PATH}", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  let served = false;
  const connect = () => {
    const socket = new WebSocket(url);
    socket.onopen = () => {
      if (served) location.reload();
      served = true;
    };
    socket.onmessage = () => location.reload();
    socket.onclose = () => setTimeout(connect, 500);
  };
  connect();
})();
`;

/**
 * Tells the pages that are open to load again when something changes below a folder.
 * @throws Failure when the folder cannot be watched
 */
export function serveReloads(server: Server, root: string): void {
  server.get(SCRIPT_PATH, (exchange) => {
    exchange.setHeader("Content-Type", "text/javascript").setHeader("Cache-Control", "no-cache").end(SCRIPT);
  });
  server.websocket(SOCKET_PATH, { open: (socket) => socket.subscribe(TOPIC) });
  try {
    server.onClose(watchFolder(root, () => server.publish(TOPIC, "reload")));
  } catch (error) {
    const reason =
      codeOf(error) === "ENOSPC"
        ? "the system watches too many files (fs.inotify.max_user_watches)"
        : messageOf(error);
    throw new Failure(`${root} cannot be watched for --live: ${reason}`);
  }
}

/** @returns the page with the script that waits for reloads */
export function withReloads(html: string): string {
  const tag = `<script src="${SCRIPT_PATH}" async></script>`;
  const end = html.toLowerCase().lastIndexOf("</body");
  return end < 0 ? html + tag : html.slice(0, end) + tag + html.slice(end);
}
