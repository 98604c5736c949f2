/** Receives changes of global settings. */
export interface SettingsListener {
  settingsChanged(): void;
}

const MAX_TIMEOUT_SECONDS = 255;

let maxMessageBytes = 262_144;
let timeout = 40;
/** The servers that run in this thread. */
const listeners = new Set<SettingsListener>();

export function followSettings(listener: SettingsListener): void {
  listeners.add(listener);
}

export function forgetSettings(listener: SettingsListener): void {
  listeners.delete(listener);
}

/** `Websocket.max_msg_size`, in bytes. */
export function maxMessageSize(): number {
  return maxMessageBytes;
}

/** @throws RangeError for anything but an integer of at least 0 */
export function setMaxMessageSize(bytes: number): void {
  if (!Number.isInteger(bytes) || bytes < 0) {
    throw new RangeError(
      `Websocket.max_msg_size cannot be ${String(bytes)}. Use a number of bytes, at least 0`,
    );
  }
  maxMessageBytes = bytes;
  for (const listener of listeners) listener.settingsChanged();
}

/** `Websocket.timeout`, in seconds; 0 for none. */
export function timeoutSeconds(): number {
  return timeout;
}

/** @throws RangeError for anything but a number from 0 to 255 */
export function setTimeoutSeconds(seconds: number): void {
  if (!(typeof seconds === "number" && seconds >= 0 && seconds <= MAX_TIMEOUT_SECONDS)) {
    throw new RangeError(`Websocket.timeout cannot be ${String(seconds)}. Use 0 to 255 seconds`);
  }
  timeout = seconds;
}
