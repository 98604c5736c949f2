import { NO_BYTES } from "../../bytes/no-bytes.ts";
import { Fields } from "../http/fields.ts";
import { HttpError } from "../http/http-error.ts";
import { FieldScanner } from "./field-scanner.ts";

const STATUS_LINE = /^HTTP\/1\.(\d) ([1-9]\d\d) ?([\t\x20-\x7e\x80-\xff]*)$/;
const MAX_FIELDS = 100;

/** Reads the head of one response (RFC 9112 §4), for the client's side. */
export class ResponseHeadReader {
  /** The minor version of HTTP/1, once the head is complete. */
  minorVersion = 1;
  /** The reason phrase, possibly empty, once the head is complete. */
  reason = "";
  /** The status code, once the head is complete. */
  status = 0;
  /** The field lines, once the head is complete. */
  fields: Fields = new Fields("\r\n", 0);
  /** Bytes after the head. At an upgrade they are the first bytes of the new protocol, which Node calls `head`. */
  upgradeHead: Buffer = NO_BYTES;
  private readonly maxBytes: number;
  private readonly scanner = new FieldScanner();
  private bytes: Buffer = NO_BYTES;
  /** Where the field lines begin; 0 while the status line is not complete. */
  private start = 0;
  private scanned = 0;

  /** @param maxBytes the largest head */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /**
   * @param bytes only read during the call
   * @returns whether the head is complete
   * @throws HttpError when it is not the head of an HTTP/1 response, or larger than allowed
   */
  receive(bytes: Buffer): boolean {
    this.bytes = Buffer.concat([this.bytes, bytes]);
    const { length } = this.bytes;
    if (this.start === 0) this.readStatusLine();
    const end = this.start === 0 ? -1 : this.scanner.scan(this.bytes, this.scanned, length, MAX_FIELDS, 0);
    this.scanned = length;
    if ((end < 0 ? length : end) > this.maxBytes) {
      throw new HttpError("HTTP_HEAD_TOO_LARGE", `more than ${this.maxBytes} bytes of head`);
    }
    if (end < 0) return false;
    this.fields = new Fields(this.bytes.toString("latin1", this.start, end), 0);
    this.upgradeHead = this.bytes.subarray(end);
    return true;
  }

  private readStatusLine(): void {
    const end = this.bytes.indexOf("\r\n");
    if (end < 0) return;
    const match = STATUS_LINE.exec(this.bytes.toString("latin1", 0, end));
    if (match === null) {
      throw new HttpError("HTTP_BAD_REQUEST_LINE", "the server does not answer with HTTP/1");
    }
    this.minorVersion = Number(match[1]);
    this.status = Number(match[2]);
    this.reason = match[3] ?? "";
    this.start = this.scanned = end + 2;
  }
}
