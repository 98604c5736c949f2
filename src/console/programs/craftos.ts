// One computer, one queue: requests and the computer's own clock
// come in order to a loop that reads like a script.
import { createHttp, type EventOf } from "portico/craftos";

export function start(): { url: string; stop(): Promise<void> } {
  const computer = createHttp({ host: "127.0.0.1" });
  computer.addListener(0);
  const clock = setInterval(() => computer.queueEvent("second"), 1_000);
  const run = async (): Promise<void> => {
    let seconds = 0;
    let lines = 0;
    for (;;) {
      // Nothing happens until an event is pulled.
      const event = await computer.pullEventRaw();
      if (event[0] === "terminate") return;
      if (event[0] === "second") seconds++;
      if (event[0] !== "http_request") continue;
      const [, , request, response] = event as EventOf<"http_request">;
      // Both handles behave like files.
      response.setResponseHeader("Content-Type", "text/plain; charset=utf-8");
      if (request.getMethod() === "POST") {
        const line = request.readLine() ?? "";
        response.writeLine(`line ${++lines}, backwards: ${[...line].reverse().join("")}`);
      } else {
        response.writeLine(`up for ${seconds} s, ${lines} lines so far`);
      }
      response.close();
    }
  };
  const running = run();
  const stop = async (): Promise<void> => {
    clearInterval(clock);
    computer.queueEvent("terminate");
    await running;
    await computer.close();
  };
  return { url: `http://127.0.0.1:${computer.ports[0]}/`, stop };
}
