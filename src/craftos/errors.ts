/** The error of a blocking call after a `terminate` event. */
export function terminated(): Error {
  return new Error("Terminated");
}

/** The error of every use of a handle after its `close`. */
export function closedFile(): Error {
  return new Error("attempt to use a closed file");
}
