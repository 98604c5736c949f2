import { createInterface } from "node:readline";
import { createHttp, type Event, type Http } from "../../craftos/index.ts";
import { clockFunctions } from "../clock.ts";
import type { Flavour, Surroundings } from "../flavour.ts";
import type { Frame } from "../frame.ts";
import { jsonFunctions } from "../json-functions.ts";
import type { HostFunction, Thread } from "../machine.ts";
import type { Push } from "../tasks.ts";
import { ClientFunctions, Deferred } from "./client-functions.ts";
import { CRAFTOS_CLIENTS } from "./client-prelude.ts";
import { EventPump } from "./event-pump.ts";
import { ComputerFiles } from "./files.ts";
import { CRAFTOS_FILES } from "./files-prelude.ts";
import { CRAFTOS_HTTP } from "./http-prelude.ts";
import { CRAFTOS_LIBRARIES } from "./libraries-prelude.ts";
import { ServerFunctions } from "./server-functions.ts";
import { CRAFTOS_SYSTEM } from "./system-prelude.ts";
import { CRAFTOS_TEXT } from "./text-prelude.ts";
import { Timers } from "./timers.ts";

/** Values that Lua keeps for an event that it has queued. */
class Queued {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** CraftOS: one queue of events, and calls that wait for them. */
export class CraftosFlavour implements Flavour {
  readonly functions: Readonly<Record<string, HostFunction>>;
  readonly chunks: readonly string[] = [
    CRAFTOS_SYSTEM,
    CRAFTOS_FILES,
    CRAFTOS_HTTP,
    CRAFTOS_CLIENTS,
    CRAFTOS_TEXT,
    CRAFTOS_LIBRARIES,
  ];
  private readonly around: Surroundings;
  private readonly http: Http;
  private readonly servers: ServerFunctions;
  private readonly clients: ClientFunctions;
  private readonly timers: Timers;
  private readonly pump: EventPump;
  private mainCode = 0;
  private lastWait = 0;
  private input: AsyncIterator<string> | undefined;

  constructor(around: Surroundings) {
    this.around = around;
    const { host, limits, folder, rom } = around;
    this.http = createHttp({
      ...(host === undefined ? {} : { host }),
      ...(limits === undefined ? {} : { limits }),
    });
    this.servers = new ServerFunctions(this.http);
    this.clients = new ClientFunctions(this.http);
    this.timers = new Timers(this.http);
    this.pump = new EventPump(this.http, around.tasks, (event) => this.servers.expect(event));
    this.functions = {
      ...clockFunctions,
      ...new ComputerFiles(folder, rom, around.onModule).functions(),
      ...this.servers.functions(),
      ...this.clients.functions(),
      ...this.timers.functions(),
      ...jsonFunctions,
      /** (name, index of the values that Lua keeps) */
      queueEvent: (frame) => {
        this.http.queueEvent(frame.text(1), new Queued(frame.number(2)));
        return 0;
      },
      /** (filter): an event as `host.translate` expects it, or nothing: wait then */
      takeEvent: (frame) => {
        const thread = around.tasks.current;
        const event = thread && this.pump.take(thread, frame.textOr(1, undefined));
        return event === undefined ? 0 : this.pushEvent(frame, event);
      },
      /** A line of standard input, for `host.await`. */
      readLine: (frame) => {
        this.input ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
        const line = this.input.next().then(({ value, done }) => (done ? undefined : value));
        const push = (stack: Frame, text: unknown): void => {
          if (typeof text === "string") stack.pushUtf8(text);
          else stack.pushNil();
        };
        frame.pushNumber(this.await(line, push));
        return 1;
      },
      exit: (frame) => {
        around.onEnd(frame.numberOr(1, 0));
        return 0;
      },
    };
  }

  begin(find: (name: string) => number): void {
    this.mainCode = find("main");
    void this.pump.run();
  }

  runMain(code: Uint8Array, name: string, parameters: readonly string[]): void {
    const push: Push = (frame) => {
      frame.pushBytes(code);
      frame.pushUtf8(name);
      for (const parameter of parameters) frame.pushUtf8(parameter);
      return 2 + parameters.length;
    };
    this.around.tasks.start(this.mainCode, push, {
      onEnd: () => this.around.onEnd(0),
      onError: (error) => {
        this.around.onError(error);
        this.around.onEnd(1);
      },
    });
  }

  onWait(thread: Thread): void {
    this.pump.wait(thread);
  }

  await(promise: Promise<unknown>, push: (frame: Frame, value: unknown) => void): number {
    const number = ++this.lastWait;
    const emit = (isDone: boolean, add: (frame: Frame) => void): void => {
      const deferred = new Deferred((frame) => {
        frame.pushNumber(number);
        frame.pushBoolean(isDone);
        add(frame);
        return 3;
      });
      this.http.queueEvent("portico_done", deferred);
    };
    promise.then(
      (value) => emit(true, (frame) => push(frame, value)),
      (error: unknown) =>
        emit(false, (frame) => frame.pushUtf8(error instanceof Error ? error.message : String(error))),
    );
    return number;
  }

  async stop(): Promise<void> {
    this.timers.stop();
    this.clients.stop();
    await this.http.close();
  }

  /** Pushes an event as `host.translate` expects it. */
  private pushEvent(frame: Frame, event: Event): number {
    const [name, first] = event;
    frame.pushText(name);
    if (first instanceof Queued) {
      frame.pushNumber(first.index);
      frame.pushBoolean(true);
      return 3;
    }
    if (first instanceof Deferred) return 1 + first.push(frame);
    const pushed = this.servers.push(frame, event);
    if (pushed !== undefined) return 1 + pushed;
    for (const value of event.slice(1)) {
      if (typeof value === "number") frame.pushNumber(value);
      else if (typeof value === "string") frame.pushUtf8(value);
      else if (typeof value === "boolean") frame.pushBoolean(value);
      else frame.pushNil();
    }
    return event.length;
  }
}
