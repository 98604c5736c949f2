import { PorticoError } from "../exchange/errors.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { HeldContent } from "../exchange/held-content.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { queryParameters } from "../protocol/http/percent-encoding.ts";
import { parseParameters } from "./field-parameters.ts";
import { type FormLimits, formLimits } from "./form-limits.ts";
import { MultipartReader, type RawPart } from "./multipart-reader.ts";

export interface FormOptions {
  /** Limits that differ from the defaults. */
  limits?: Partial<FormLimits>;
}

const formOptionNames: OptionNames<FormOptions> = {
  limits: true,
};

/** A field of a form. */
export interface FormField {
  readonly kind: "field";
  readonly name: string;
  readonly value: string;
}

/** A file of a form while it is being received. */
export interface FormFilePart extends AsyncIterable<Buffer> {
  readonly kind: "file";
  /** The name of the field. */
  readonly name: string;
  /** The client's name for the file, without a path; "" for a field that was left empty. Do not use it as a path. */
  readonly filename: string;
  /** The media type that the client sent. */
  readonly type: string;
}

export type FormPart = FormField | FormFilePart;

/** A file of a form, in memory. */
export interface FormFile {
  readonly name: string;
  readonly filename: string;
  readonly type: string;
  readonly bytes: Buffer;
}

export interface Form {
  /** The fields in order. A name can occur several times. */
  readonly fields: URLSearchParams;
  /** The files in order, without fields that were left empty. */
  readonly files: FormFile[];
}

/** RFC 2046 §5.1.1 */
const MAX_BOUNDARY_LENGTH = 70;

/**
 * Reads a form into memory: multipart/form-data (RFC 7578) or application/x-www-form-urlencoded.
 * @throws PorticoError ERR_FORM_TYPE (415), ERR_FORM (400), ERR_BODY_TOO_LARGE (413), ERR_BODY_NOT_TEXT (400) or
 *   ERR_OVERLOADED (503). If the handler throws it, the response has this status. Also ERR_ABORTED and ERR_BODY_USED.
 *   RangeError for an invalid limit, TypeError for an unknown option
 */
export async function readForm(exchange: Exchange<unknown>, options: FormOptions = {}): Promise<Form> {
  const fields = new URLSearchParams();
  const files: FormFile[] = [];
  const held = new HeldContent(exchange);
  try {
    for await (const part of formParts(exchange, options)) {
      if (part.kind === "field") {
        held.add(part.value.length);
        fields.append(part.name, part.value);
        continue;
      }
      const { name, filename, type } = part;
      const bytes = await collect(part, held);
      // Browsers send this if no file was chosen.
      if (filename !== "" || bytes.length > 0) files.push({ name, filename, type, bytes });
    }
  } finally {
    held.release();
  }
  return { fields, files };
}

/**
 * Yields the parts of a form as they arrive. Read a file with `for await`: Portico reads from the client only as fast
 * as your loop does. Unread data of a file is discarded at the next step, and counts toward the limits.
 * @throws the errors of {@link readForm}
 */
export async function* formParts(
  exchange: Exchange<unknown>,
  options: FormOptions = {},
): AsyncGenerator<FormPart, void, undefined> {
  checkOptions("a form", options, formOptionNames);
  const limits = formLimits(options.limits);
  const type = parseParameters(exchange.header("content-type") ?? "");
  if (type?.value === "application/x-www-form-urlencoded") {
    yield* fieldsOf(await exchange.text(), limits);
    return;
  }
  if (type?.value !== "multipart/form-data") throw new PorticoError("ERR_FORM_TYPE");
  const boundary = type.parameters.get("boundary") ?? "";
  if (boundary === "" || boundary.length > MAX_BOUNDARY_LENGTH) {
    throw new PorticoError("ERR_FORM", "its type has no valid boundary");
  }
  const reader = new MultipartReader(exchange.body, boundary, limits);
  for await (const part of reader.parts()) {
    if (part.filename === undefined) {
      const value = await collect(part.content);
      yield { kind: "field", name: part.name, value: textOf(value) };
    } else yield filePart(part, part.filename);
  }
}

function filePart({ name, type, content }: RawPart, filename: string): FormFilePart {
  return {
    kind: "file",
    name,
    filename,
    type,
    [Symbol.asyncIterator]: () => content[Symbol.asyncIterator](),
  };
}

/** application/x-www-form-urlencoded, as the URL Standard reads it. */
function* fieldsOf(text: string, limits: FormLimits): Generator<FormField, void, undefined> {
  const most = Math.min(limits.fields, limits.parts);
  let count = text === "" ? 0 : 1;
  for (let at = text.indexOf("&"); at >= 0 && count <= most; at = text.indexOf("&", at + 1)) count++;
  if (count > most) throw new PorticoError("ERR_BODY_TOO_LARGE", `${most} fields`);
  for (const [name, value] of queryParameters(text)) {
    if (Buffer.byteLength(value) > limits.fieldBytes) {
      throw new PorticoError("ERR_BODY_TOO_LARGE", `${limits.fieldBytes} bytes for a part`);
    }
    yield { kind: "field", name, value };
  }
}

async function collect(content: AsyncIterable<Buffer>, held?: HeldContent): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content) {
    held?.add(piece.length);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new PorticoError("ERR_BODY_NOT_TEXT");
  }
}
