import { type Cookie, setCookieValue } from "./cookie.ts";
import type { HttpRequest } from "./http-request.ts";
import { OutgoingResponse } from "./outgoing-response.ts";

/** A response that is being made; of its own it has only `status`, a settable number. */
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
  /** Adds a cookie. @returns -1 for one that may not be sent, and after the response was sent */
  set_cookie(response: HttpResponse, cookie: Cookie): number;
  /**
   * Appends to the content, which leaves when the response is sent.
   * @param data text as UTF-8, or bytes, which are copied
   * @param length how many bytes of it; all when absent
   * @returns -1 after the response was sent
   */
  write_body(response: HttpResponse, data: string | Uint8Array, length?: number): number;
  /**
   * Sends the response with a file, or a part of it, behind what `write_body` was given; at the speed of the peer.
   * @param offset of the first byte
   * @param length how many bytes at the most; to the end when absent
   * @returns -1 when there is no such file or offset (the response may still be sent otherwise), or after it was sent
   */
  sendfile(response: HttpResponse, path: string, offset?: number, length?: number): number;
  /** Sends the response. @returns -1 when it was sent before, the peer has gone or its status may not be sent */
  send(response: HttpResponse): number;
  /** Sends the response if it was not sent; one whose status may not be sent becomes a 500. */
  destroy(response: HttpResponse): void;
}

function answer(done: boolean): number {
  return done ? 0 : -1;
}

/** Responses in the manner of the original; safe to call at any time. */
export const HttpResponse: HttpResponseFunctions = {
  create: (request) => new OutgoingResponse(request),
  write_header: (response, name, value) => answer(response.addField(name, String(value))),
  set_cookie(response, cookie) {
    const value = setCookieValue(cookie);
    return answer(value !== null && response.addField("Set-Cookie", value));
  },
  write_body: (response, data, length) => answer(response.addContent(data, length)),
  sendfile: (response, path, offset = 0, length) => answer(response.sendFile(path, offset, length)),
  send: (response) => answer(response.send()),
  destroy: (response) => response.finish(),
};
