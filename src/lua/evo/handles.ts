import { ChurnMap, ChurnSet } from "../../bytes/churn-map.ts";
import type { HostFunction } from "../machine.ts";
import type { EventLoop } from "./event-loop.ts";
import { type CallBack, Handle } from "./handle.ts";
import { SignalHandle } from "./signal-handle.ts";
import { TcpHandle } from "./tcp-handle.ts";
import { TimerHandle } from "./timer-handle.ts";

/** The handles of a program, by number. */
export class Handles {
  private readonly byId = new ChurnMap<number, Handle>();
  private readonly closing = new ChurnSet<number>();
  private readonly loop: EventLoop;
  private readonly callBack: CallBack;
  private readonly onClosed: (handle: number) => void;
  private last = 0;

  constructor(loop: EventLoop, callBack: CallBack, onClosed: (handle: number) => void) {
    this.loop = loop;
    this.callBack = callBack;
    this.onClosed = onClosed;
  }

  closeAll(): void {
    for (const handle of this.byId.values()) handle.close();
    this.byId.clear();
  }

  /** The functions of the host that Lua calls. */
  functions(): Record<string, HostFunction> {
    const timer = this.finder(TimerHandle);
    const tcp = this.finder(TcpHandle);
    const signal = this.finder(SignalHandle);
    const any = this.finder(Handle);
    const quiet = (call: (...parameters: Parameters<HostFunction>) => void): HostFunction => {
      return (frame) => {
        call(frame);
        return 0;
      };
    };
    return {
      newTimer: this.maker(TimerHandle),
      newTcp: this.maker(TcpHandle),
      newSignal: this.maker(SignalHandle),
      startTimer: quiet((frame) => timer(frame.number(1))?.start(frame.number(2), frame.numberOr(3, 0))),
      stopTimer: quiet((frame) => timer(frame.number(1))?.stop()),
      againTimer: quiet((frame) => timer(frame.number(1))?.again()),
      resumeTimer: quiet((frame) => timer(frame.number(1))?.resume()),
      setRepeat: quiet((frame) => {
        const found = timer(frame.number(1));
        if (found !== undefined) found.setRepeat(frame.number(2));
      }),
      getRepeat(frame) {
        frame.pushNumber(timer(frame.number(1))?.repeatMs ?? 0);
        return 1;
      },
      getDueIn(frame) {
        frame.pushNumber(timer(frame.number(1))?.dueInMs ?? 0);
        return 1;
      },
      connect: quiet((frame) => tcp(frame.number(1))?.connect(frame.text(2), frame.number(3))),
      readStart: quiet((frame) => tcp(frame.number(1))?.readStart()),
      readStop: quiet((frame) => tcp(frame.number(1))?.readStop()),
      writeTcp: quiet((frame) => tcp(frame.number(1))?.write(frame.bytes(2), frame.number(3))),
      shutdown: quiet((frame) => tcp(frame.number(1))?.shutdown()),
      getAddress(frame) {
        const address = tcp(frame.number(1))?.address(frame.isTruthy(2));
        if (address === undefined) return 0;
        frame.pushRecord({ ip: address.ip, family: address.family });
        frame.pushNumber(address.port);
        frame.setField("port");
        return 1;
      },
      startSignal: quiet((frame) => signal(frame.number(1))?.start(frame.text(2))),
      stopSignal: quiet((frame) => signal(frame.number(1))?.stop()),
      reference: quiet((frame) => any(frame.number(1))?.reference(frame.isTruthy(2))),
      isActive(frame) {
        frame.pushBoolean(any(frame.number(1))?.isActive === true);
        return 1;
      },
      isClosing: (frame) => {
        frame.pushBoolean(this.closing.has(frame.number(1)));
        return 1;
      },
      close: quiet((frame) => this.close(frame.number(1))),
    };
  }

  /** The callback of a close comes later, as in libuv. */
  private close(id: number): void {
    const handle = this.byId.get(id);
    if (handle === undefined) return;
    this.byId.delete(id);
    this.closing.add(id);
    handle.close();
    this.loop.activate();
    setImmediate(() => {
      this.closing.delete(id);
      this.loop.deactivate();
      this.onClosed(id);
    });
  }

  private finder<Kind extends Handle>(
    kind: abstract new (...parameters: ConstructorParameters<typeof Handle>) => Kind,
  ): (id: number) => Kind | undefined {
    return (id) => {
      const found = this.byId.get(id);
      return found instanceof kind ? found : undefined;
    };
  }

  private maker(kind: new (...parameters: ConstructorParameters<typeof Handle>) => Handle): HostFunction {
    return (frame) => {
      const handle = new kind(++this.last, this.loop, this.callBack);
      this.byId.set(handle.id, handle);
      frame.pushNumber(handle.id);
      return 1;
    };
  }
}
