import type { TestContext } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.ts";
import type { Server } from "../../src/server/server.ts";
import { certificate } from "../support/certificates.ts";

/** Runs a command that ends at once, in this process: quicker than a program of its own. */
export async function inProcess(t: TestContext, args: readonly string[]) {
  const stdout = captured(t, process.stdout);
  const stderr = captured(t, process.stderr);
  const code = await runCommandLine(args);
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Takes the text that is written to a stream; bytes are the test runner's own. @returns what ends it */
function captured(t: TestContext, stream: NodeJS.WriteStream): () => string {
  let text = "";
  const write = stream.write.bind(stream);
  const mock = t.mock.method(stream, "write", (data: string | Uint8Array) => {
    if (typeof data !== "string") return write(data);
    text += data;
    return true;
  });
  return () => {
    mock.mock.restore();
    return text;
  };
}

/** Lets a server listen until the test ends. @returns its address */
export async function listening(t: TestContext, server: Server, tls = false): Promise<string> {
  t.after(() => server.close({ graceMs: 0 }));
  const certificates = tls ? { tls: certificate("localhost") } : {};
  return (await server.listen({ host: "127.0.0.1", ...certificates })).url;
}
