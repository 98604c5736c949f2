import { spawn } from "node:child_process";
import { complain } from "./terminal.ts";

/** The command that opens an address, by platform. */
const OPENERS: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  darwin: ["open"],
  // "start" needs a title before an address.
  win32: ["cmd", "/c", "start", ""],
};

/** Opens an address in the browser that `BROWSER` names, or in the system's. Says so when there is none. */
export function openBrowser(url: string): void {
  const chosen = process.env["BROWSER"];
  const [command, ...args] = chosen ? [chosen] : (OPENERS[process.platform] ?? ["xdg-open"]);
  const child = spawn(command, [...args, url], { detached: true, stdio: "ignore" });
  child.on("error", () =>
    complain(`The browser did not start (${command} is not there). Open ${url} yourself, or set BROWSER.`),
  );
  child.unref();
}
