import { reasonPhrase } from "../protocol/http/reason-phrases.ts";
import { type Cookie, setCookieValue } from "./cookie.ts";
import { cut } from "./cut.ts";
import type { HttpRequest } from "./http-request.ts";
import { OutgoingResponse } from "./outgoing-response.ts";
import { printf } from "./printf.ts";

/** A response that is being made. It has `status`, `content_length`, `date` and `last_modified`, which you can set. */
export type HttpResponse = OutgoingResponse;

/** The functions of the global `HttpResponse`. Those that can fail answer 0, or -1 and nothing has happened. */
export interface HttpResponseFunctions {
  /** Begins a response. It may be finished later, also after the handler has returned. */
  create(request: HttpRequest): HttpResponse;
  /**
   * Adds a header field; one of the same name stays, too.
   * @returns -1 for a name or a value that may not be sent, and after the response was sent
   */
  write_header(response: HttpResponse, name: string, value: string | number): number;
  /** The same in the order of C: a name and a value, each with its length in bytes. */
  write_header(
    response: HttpResponse,
    name: string,
    name_len: number,
    value: string | Uint8Array,
    value_len: number,
  ): number;
  /** Like {@link write_header}. @param value_len how many bytes of the value */
  write_header1(response: HttpResponse, name: string, value: string | Uint8Array, value_len: number): number;
  /** The same as {@link write_header} with a name and a value. */
  write_header2(response: HttpResponse, name: string, value: string | number): number;
  /**
   * Adds a header field from a format in the manner of C, such as `"X-Count: %d"`.
   * @returns -1 for what is not a field with a colon, for one that may not be sent, and after the response was sent
   */
  printf(response: HttpResponse, format: string, ...values: unknown[]): number;
  /** Adds a cookie. @returns -1 for one that may not be sent, and after the response was sent */
  set_cookie(response: HttpResponse, cookie: Cookie): number;
  /**
   * Appends to the content, which leaves when the response is sent.
   * @param data text as UTF-8, or bytes, which are copied
   * @param length how many bytes of it; all when absent
   * @returns -1 after the response was sent
   */
  write_body(response: HttpResponse, data: string | Uint8Array, length?: number): number;
  /** The same as {@link write_body}: memory is not freed by hand here. */
  write_body_move(response: HttpResponse, data: string | Uint8Array, length?: number): number;
  /**
   * Sends the response with a file, or a part of it, behind what `write_body` was given; at the speed of the peer.
   * @param offset of the first byte
   * @param length how many bytes at most; to the end when absent
   * @returns -1 when there is no such file or offset (the response may still be sent otherwise), or after it was sent
   */
  sendfile(response: HttpResponse, path: string, offset?: number, length?: number): number;
  /** Sends a whole file; {@link sendfile} without a part. */
  sendfile2(response: HttpResponse, path: string): number;
  /** Returns the reason phrase of the response's status, such as "Not Found"; "" for a status without one. */
  status_str(response: HttpResponse): string;
  /** Makes it a new response, to another request or to the same. What it had is dropped. */
  reset(response: HttpResponse, request: HttpRequest): void;
  /**
   * Closes the connection: after the body so far, if there is one, otherwise without a response. Call it before the response is
   * sent; afterwards it does nothing.
   */
  close(response: HttpResponse): void;
  /** Sends the response. @returns -1 when it was sent before, the peer has gone or its status may not be sent */
  send(response: HttpResponse): number;
  /** Sends the response if it was not sent; one whose status may not be sent becomes a 500. */
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

/** Responses in the manner of the original; safe to call at any time. */
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
