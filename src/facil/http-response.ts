import { reasonPhrase } from "../protocol/http/reason-phrases.ts";
import { type Cookie, setCookieValue } from "./cookie.ts";
import { cut } from "./cut.ts";
import type { HttpRequest } from "./http-request.ts";
import { OutgoingResponse } from "./outgoing-response.ts";
import { printf } from "./printf.ts";

/** A response that is being built. You can set `status`, `content_length`, `date` and `last_modified`. */
export type HttpResponse = OutgoingResponse;

/** The functions of the global `HttpResponse`. Functions that can fail return 0, or -1 if nothing happened. */
export interface HttpResponseFunctions {
  /** Begins a response. You can send it later, even after the handler has returned. */
  create(request: HttpRequest): HttpResponse;
  /**
   * Adds a header field and keeps those of the same name.
   * @returns -1 for a name or a value that cannot be sent, and after the response was sent
   */
  write_header(response: HttpResponse, name: string, value: string | number): number;
  /** The same with the parameters of C: a name and a value, each followed by its length in bytes. */
  write_header(
    response: HttpResponse,
    name: string,
    name_len: number,
    value: string | Uint8Array,
    value_len: number,
  ): number;
  /** Like {@link write_header}. @param value_len the number of bytes of the value */
  write_header1(response: HttpResponse, name: string, value: string | Uint8Array, value_len: number): number;
  /** The same as {@link write_header} with a name and a value. */
  write_header2(response: HttpResponse, name: string, value: string | number): number;
  /**
   * Adds a header field from a C format string, such as `"X-Count: %d"`.
   * @returns -1 for text without a colon, for a field that cannot be sent, and after the response was sent
   */
  printf(response: HttpResponse, format: string, ...values: unknown[]): number;
  /** Adds a cookie. @returns -1 for a cookie that cannot be sent, and after the response was sent */
  set_cookie(response: HttpResponse, cookie: Cookie): number;
  /**
   * Appends to the body, which is sent with the response.
   * @param data text, sent as UTF-8, or bytes, which are copied
   * @param length the number of bytes of `data`; all by default
   * @returns -1 after the response was sent
   */
  write_body(response: HttpResponse, data: string | Uint8Array, length?: number): number;
  /** Like {@link write_body}: JavaScript needs no manual freeing of memory. */
  write_body_move(response: HttpResponse, data: string | Uint8Array, length?: number): number;
  /**
   * Sends the response with a file, or a part of it, after the data of `write_body`. The file is read as fast as the
   * client receives it.
   * @param offset the offset of the first byte
   * @param length the number of bytes, at most; to the end of the file by default
   * @returns -1 if there is no such file or offset (you can still send another response), or after the response was
   *   sent
   */
  sendfile(response: HttpResponse, path: string, offset?: number, length?: number): number;
  /** Sends a whole file, as {@link sendfile} without offset and length does. */
  sendfile2(response: HttpResponse, path: string): number;
  /** Returns the reason phrase of the response's status, such as "Not Found"; "" for a status without one. */
  status_str(response: HttpResponse): string;
  /** Turns it into a new response, for another request or the same one. Its former data is dropped. */
  reset(response: HttpResponse, request: HttpRequest): void;
  /**
   * Closes the connection after sending the body so far, or without a response if there is no body. Call it before
   * sending the response; afterwards it does nothing.
   */
  close(response: HttpResponse): void;
  /**
   * Sends the response.
   * @returns -1 if it was already sent, the client has disconnected, or its status cannot be sent
   */
  send(response: HttpResponse): number;
  /** Sends the response if it was not sent. A response with an invalid status becomes a 500. */
  destroy(response: HttpResponse): void;
}

/** Text of which only the first bytes count. */
function firstBytes(text: string | Uint8Array, length: number): string {
  return Buffer.from(cut(text, length)).toString("latin1");
}

function writeHeader(
  response: HttpResponse,
  name: string,
  ...[first, value, length]:
    | [value: string | number]
    | [name_len: number, value: string | Uint8Array, value_len: number]
): number {
  if (value === undefined || length === undefined) return answer(response.addField(name, String(first)));
  return answer(response.addField(firstBytes(name, Number(first)), firstBytes(value, length)));
}

function answer(done: boolean): number {
  return done ? 0 : -1;
}

/** The functions for responses, as in the original. You can call them at any time. */
export const HttpResponse: HttpResponseFunctions = {
  create: (request) => new OutgoingResponse(request),
  write_header: writeHeader,
  write_header1: (response, name, value, length) =>
    answer(response.addField(name, firstBytes(value, length))),
  write_header2: (response, name, value) => answer(response.addField(name, String(value))),
  printf(response, format, ...values) {
    const [, name, value] = /^([^:]*):[ \t]*(.*)$/s.exec(printf(format, values)) ?? [];
    return answer(name !== undefined && value !== undefined && response.addField(name, value));
  },
  set_cookie(response, cookie) {
    const value = setCookieValue(cookie);
    return answer(value !== null && response.addField("Set-Cookie", value));
  },
  write_body: (response, data, length) => answer(response.addContent(data, length)),
  write_body_move: (response, data, length) => answer(response.addContent(data, length)),
  sendfile: (response, path, offset = 0, length) => answer(response.sendFile(path, offset, length)),
  sendfile2: (response, path) => answer(response.sendFile(path, 0, undefined)),
  status_str: (response) => reasonPhrase(response.status) ?? "",
  reset: (response, request) => response.reset(request),
  close: (response) => response.close(),
  send: (response) => answer(response.send()),
  destroy: (response) => response.finish(),
};
