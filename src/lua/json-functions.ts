import { pushJson, toJson } from "./json.ts";
import type { HostFunction } from "./machine.ts";

/** JSON for the libraries of both flavours. */
export const jsonFunctions: Readonly<Record<string, HostFunction>> = {
  /** (text, null): the value, or nil and what is wrong */
  parseJson(frame) {
    const text = frame.utf8(1);
    const before = frame.count;
    try {
      pushJson(frame, text, () => frame.pushCopy(2));
      return 1;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      frame.count = before;
      frame.pushNil();
      frame.pushUtf8(error.message);
      return 2;
    }
  },
  /** (value, null, an empty array or the metatable of arrays, indent, whether keys are sorted) */
  writeJson(frame) {
    const style = {
      nullIdentity: frame.identity(2),
      arrayIdentity: frame.identity(3),
      indent: frame.text(4),
      sortKeys: frame.isTruthy(5),
    };
    frame.pushText(toJson(frame, 1, style));
    return 1;
  },
};
