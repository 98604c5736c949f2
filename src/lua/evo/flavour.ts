import type { WebServerMessage } from "../../evo/index.ts";
import { clockFunctions } from "../clock.ts";
import type { Flavour, Surroundings } from "../flavour.ts";
import type { Frame } from "../frame.ts";
import type { HostFunction, Thread } from "../machine.ts";
import { NOTHING } from "../tasks.ts";
import { EventLoop } from "./event-loop.ts";
import { fileFunctions } from "./files.ts";
import { Handles } from "./handles.ts";
import { EVO_LIBRARIES } from "./libraries-prelude.ts";
import { libraryFunctions, pathFunctions } from "./library-functions.ts";
import { EVO_PRELUDE } from "./prelude.ts";
import { Servers } from "./server-functions.ts";
import { EVO_SERVERS } from "./servers-prelude.ts";
import { EVO_TESTS } from "./tests-prelude.ts";

/** The runtime Evo: servers whose events are polled, and the event loop of libuv. */
export class EvoFlavour implements Flavour {
  readonly functions: Record<string, HostFunction>;
  readonly chunks: readonly string[] = [EVO_PRELUDE, EVO_SERVERS, EVO_LIBRARIES, EVO_TESTS];
  private readonly around: Surroundings;
  private readonly loop: EventLoop;
  private readonly servers: Servers;
  private readonly handles: Handles;
  private onEventCode = 0;
  private onUpdateCode = 0;
  private onCallbackCode = 0;
  private onClosedCode = 0;
  private mainCode = 0;

  constructor(around: Surroundings) {
    this.around = around;
    const { machine, tasks, folder, host, limits, onError, onEnd } = around;
    this.loop = new EventLoop(tasks, onError, () => onEnd(0));
    const events = {
      onEvent: (server: number, name: string, payload: WebServerMessage) =>
        this.emitEvent(server, name, payload),
      onUpdate: (server: number) => this.emitUpdate(server),
    };
    this.servers = new Servers(events, this.loop, {
      onError,
      ...(host === undefined ? {} : { host }),
      ...(limits === undefined ? {} : { limits }),
    });
    this.handles = new Handles(
      this.loop,
      (handle, event, push = NOTHING) =>
        this.loop.callBack(this.onCallbackCode, (frame) => {
          frame.pushNumber(handle);
          frame.pushText(event);
          return 2 + push(frame);
        }),
      (handle) =>
        this.loop.callBack(this.onClosedCode, (frame) => {
          frame.pushNumber(handle);
          return 1;
        }),
    );
    machine.define("path", pathFunctions);
    this.functions = {
      ...clockFunctions,
      ...fileFunctions(folder, around.onModule),
      ...libraryFunctions,
      ...this.handles.functions(),
      ...this.servers.functions(),
      ...this.loopFunctions(),
    };
  }

  begin(find: (name: string) => number): void {
    this.onEventCode = find("onEvent");
    this.onUpdateCode = find("onUpdate");
    this.onCallbackCode = find("onCallback");
    this.onClosedCode = find("onClosed");
    this.mainCode = find("main");
  }

  runMain(code: Uint8Array, name: string, parameters: readonly string[]): void {
    const push = (frame: Frame): number => {
      frame.pushBytes(code);
      frame.pushUtf8(name);
      for (const parameter of parameters) frame.pushUtf8(parameter);
      return 2 + parameters.length;
    };
    this.around.tasks.start(this.mainCode, push, {
      onEnd: () => this.loop.endMain(),
      onError: (error) => {
        this.around.onError(error);
        this.loop.endMain();
      },
    });
    this.servers.dropInherited();
  }

  takeOver(previous: Flavour): void {
    if (previous instanceof EvoFlavour) this.servers.inherit(previous.servers.release());
  }

  stop(): Promise<void> {
    this.handles.closeAll();
    this.servers.stopAll();
    return Promise.resolve();
  }

  await(promise: Promise<unknown>, push: (frame: Frame, value: unknown) => void): number {
    const thread = this.around.tasks.current;
    if (thread === undefined) throw new Error("there is nothing that could wait");
    this.loop.activate();
    promise.then(
      (value) =>
        this.endWait(thread, (frame) => {
          frame.pushBoolean(true);
          push(frame, value);
        }),
      (error: unknown) =>
        this.endWait(thread, (frame) => {
          frame.pushBoolean(false);
          frame.pushUtf8(error instanceof Error ? error.message : String(error));
        }),
    );
    return 0;
  }

  private endWait(thread: Thread, push: (frame: Frame) => void): void {
    this.around.tasks.wake(thread, (frame) => {
      push(frame);
      return 2;
    });
    this.loop.deactivate();
  }

  private emitEvent(server: number, name: string, payload: WebServerMessage): void {
    let failure: unknown;
    this.around.tasks.start(
      this.onEventCode,
      (frame) => {
        frame.pushNumber(server);
        frame.pushText(name);
        frame.pushNumber(payload.eventTypeID);
        frame.pushText(payload.clientID);
        frame.pushBytes(payload.message);
        if (this.isOfWebSocket(payload)) frame.pushBoolean(payload.binary);
        else frame.pushNil();
        if (payload.code === undefined) frame.pushNil();
        else frame.pushNumber(payload.code);
        return 7;
      },
      { onError: (error) => (failure = error) },
    );
    this.loop.countCallback();
    // It reaches the code that polls.
    if (failure !== undefined) throw failure;
  }

  private isOfWebSocket(payload: WebServerMessage): boolean {
    return payload.eventTypeID >= 1 && payload.eventTypeID <= 3;
  }

  private emitUpdate(server: number): void {
    let failure: unknown;
    this.around.tasks.start(
      this.onUpdateCode,
      (frame) => {
        frame.pushNumber(server);
        return 1;
      },
      { onError: (error) => (failure = error) },
    );
    this.loop.countCallback();
    if (failure !== undefined) throw failure;
  }

  private loopFunctions(): Record<string, HostFunction> {
    const { loop, around } = this;
    return {
      run(frame) {
        frame.pushBoolean(loop.run(frame.text(1)));
        return 1;
      },
      stop() {
        loop.stop();
        return 0;
      },
      isAlive(frame) {
        frame.pushBoolean(loop.isAlive);
        return 1;
      },
      sleep(frame) {
        loop.sleep(frame.number(1));
        return 0;
      },
      hrtime(frame) {
        frame.pushNumber(Number(process.hrtime.bigint()));
        return 1;
      },
      now(frame) {
        frame.pushNumber(Math.floor(performance.now()));
        return 1;
      },
      cwd(frame) {
        frame.pushUtf8(around.folder.root);
        return 1;
      },
      pid(frame) {
        frame.pushNumber(process.pid);
        return 1;
      },
      exit(frame) {
        around.onEnd(frame.typeName(1) === "boolean" ? (frame.isTruthy(1) ? 0 : 1) : frame.numberOr(1, 0));
        return 0;
      },
    };
  }
}
