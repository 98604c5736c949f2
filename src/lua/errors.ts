/** An error of a Lua program. The message has the place, as in Lua: "server.lua:3: attempt to index a nil value". */
export class LuaError extends Error {
  /** The stack traceback, as Lua prints it; "" if Lua reports none. */
  readonly traceback: string;

  constructor(message: string, traceback = "", options?: ErrorOptions) {
    super(message, options);
    this.name = "LuaError";
    this.traceback = traceback;
  }
}

/** The Lua machine cannot be loaded. */
export class LuaLoadError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LuaLoadError";
  }
}
