import type { Frame } from "./frame.ts";
import type { Machine } from "./machine.ts";
import type { Tasks } from "./tasks.ts";
import { LuaType } from "./wasm.ts";

/** How deep tables and objects can be nested. */
const MAX_DEPTH = 64;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A function of a Lua program. The promise has its first result, once the function has ended. */
export type LuaFunction = (...parameters: unknown[]) => Promise<unknown>;

/** Passes values of a program to JavaScript and back, for functions that a Node program adds. */
export class Values {
  private readonly tasks: Tasks;
  /** Releases Lua functions that JavaScript no longer holds. */
  private readonly forgotten: FinalizationRegistry<number>;

  constructor(machine: Machine, tasks: Tasks) {
    this.tasks = tasks;
    this.forgotten = new FinalizationRegistry((reference) => {
      if (!machine.isDead) machine.release(reference);
    });
  }

  /**
   * Reads values from `first` to the top of the stack.
   * @throws TypeError for text that is not UTF-8, and for values without a JavaScript equivalent
   */
  read(frame: Frame, first: number): unknown[] {
    const values: unknown[] = [];
    for (let at = first; at <= frame.count; at++) values.push(this.get(frame, at, 0));
    return values;
  }

  /**
   * Pushes a value. Text becomes UTF-8, a Uint8Array is pushed byte by byte.
   * @throws TypeError for a value without a Lua equivalent
   */
  push(frame: Frame, value: unknown, depth = 0): void {
    if (depth > MAX_DEPTH) throw new TypeError("the object is nested too deeply for Lua, or contains itself");
    if (value === undefined || value === null) frame.pushNil();
    else if (typeof value === "string") frame.pushUtf8(value);
    else if (typeof value === "number") frame.pushNumber(value);
    else if (typeof value === "boolean") frame.pushBoolean(value);
    else if (value instanceof Uint8Array) frame.pushBytes(value);
    else if (Array.isArray(value)) {
      frame.pushTable(value.length, 0);
      value.forEach((item: unknown, index) => {
        this.push(frame, item, depth + 1);
        frame.setItem(index + 1);
      });
    } else if (typeof value === "object" && isPlain(value)) {
      frame.pushTable(0, 8);
      for (const [name, item] of Object.entries(value)) {
        this.push(frame, item, depth + 1);
        frame.setField(name);
      }
    } else
      throw new TypeError(
        `Lua has no value for ${typeof value === "object" ? "an object of a class" : `a ${typeof value}`}`,
      );
  }

  private get(frame: Frame, at: number, depth: number): unknown {
    switch (frame.type(at)) {
      case LuaType.nil:
        return undefined;
      case LuaType.boolean:
        return frame.isTruthy(at);
      case LuaType.number:
        return frame.number(at);
      case LuaType.string:
        return textOf(frame, at);
      case LuaType.table:
        return this.getTable(frame, at, depth);
      case LuaType.function:
        return this.getFunction(frame, at);
      default:
        throw new TypeError(`bad argument #${at} (JavaScript has no value for a ${frame.typeName(at)})`);
    }
  }

  /** A list becomes an array, another table an object. */
  private getTable(frame: Frame, at: number, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new TypeError("the table is nested too deeply, or contains itself");
    const length = frame.length(at);
    const list: unknown[] = new Array(length).fill(undefined);
    const record: Record<string, unknown> = Object.create(null);
    frame.forEach(at, () => {
      const top = frame.count;
      const value = this.get(frame, top, depth + 1);
      const index = frame.type(top - 1) === LuaType.number ? frame.number(top - 1) : 0;
      if (length > 0 && index >= 1 && index <= length) list[index - 1] = value;
      else record[textOf(frame, top - 1)] = value;
    });
    if (length === 0) return record;
    return Object.keys(record).length === 0 ? list : Object.assign(record, { ...list });
  }

  private getFunction(frame: Frame, at: number): LuaFunction {
    const reference = frame.keep(at);
    const call: LuaFunction = (...parameters) =>
      new Promise((resolve, reject) => {
        this.tasks.start(
          reference,
          (stack) => {
            for (const parameter of parameters) this.push(stack, parameter);
            return parameters.length;
          },
          {
            onEnd: (stack, values) =>
              resolve(values === 0 ? undefined : this.get(stack, stack.count - values + 1, 0)),
            onError: reject,
          },
        );
      });
    this.forgotten.register(call, reference);
    return call;
  }
}

function textOf(frame: Frame, at: number): string {
  try {
    return UTF8.decode(frame.bytes(at));
  } catch {
    throw new TypeError(`bad argument #${at} (text in UTF-8 expected, got other bytes)`);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
