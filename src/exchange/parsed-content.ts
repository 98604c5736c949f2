import { isUtf8 } from "node:buffer";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { isJson } from "../protocol/http/media-type.ts";
import { PorticoError } from "./errors.ts";

/** Options of `Exchange.json`. */
export interface JsonOptions {
  /** The limit in bytes. The `maxBodyBytes` of the server and of the route apply as well. */
  limit?: number;
  /** Reads a body of any type as JSON. Default false: types other than JSON are refused with 415. */
  anyType?: boolean;
}

const jsonOptionNames: OptionNames<JsonOptions> = { limit: true, anyType: "boolean" };

/** See `Exchange.text`. */
export async function textContent(
  exchange: { bytes(limit: number): Promise<Buffer> },
  limit: number,
): Promise<string> {
  const bytes = await exchange.bytes(limit);
  if (!isUtf8(bytes)) throw new PorticoError("ERR_BODY_NOT_TEXT");
  return bytes.toString("utf8");
}

/** See `Exchange.json`. */
export async function jsonContent(
  exchange: { header(name: string): string | undefined; text(limit?: number): Promise<string> },
  options: number | JsonOptions,
): Promise<unknown> {
  const given = typeof options === "number" ? { limit: options } : options;
  checkOptions("json", given, jsonOptionNames);
  const { limit, anyType = false } = given;
  if (!anyType && !isJson(exchange.header("content-type"))) throw new PorticoError("ERR_JSON_TYPE");
  const text = await exchange.text(limit);
  try {
    return JSON.parse(text);
  } catch {
    throw new PorticoError("ERR_BODY_NOT_JSON");
  }
}
