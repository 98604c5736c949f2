/** Bytes of a representation, both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const RANGE_SET = /^bytes=(.*)$/i;
/** Members of the list, empty ones among them, from which on it is not worth reading (RFC 9110 §5.6.1.2). */
const MAX_MEMBERS = 100;
const RANGE_SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * Reads a Range field (RFC 9110 §14.1.2 and §14.2). Ranges that overlap or touch become one (§15.3.7.2).
 * @param size of the representation in bytes
 * @param maxRanges more of them are not worth serving: the field is ignored
 * @returns at least one range in the order in which they were asked for; "whole" where the field is to be ignored: an
 *   unknown unit, a malformed or an empty set, no content; "unsatisfiable" where no range has a byte in common with it
 */
export function parseRange(
  value: string,
  size: number,
  maxRanges: number,
): ByteRange[] | "whole" | "unsatisfiable" {
  const members = RANGE_SET.exec(value)?.[1]?.split(",", MAX_MEMBERS) ?? [];
  const specs = members.map((spec) => spec.trim()).filter((spec) => spec !== "");
  const isReadable = specs.length > 0 && specs.length <= maxRanges && members.length < MAX_MEMBERS;
  if (!isReadable || size === 0) return "whole";
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const [whole, first = "", last = "", suffix = ""] = RANGE_SPEC.exec(spec) ?? [];
    if (whole === undefined) return "whole";
    if (first !== "" && last !== "" && Number(last) < Number(first)) return "whole";
    const from = first === "" ? Math.max(0, size - Number(suffix)) : Number(first);
    const to = last === "" ? size - 1 : Math.min(Number(last), size - 1);
    if (from < size) add(ranges, { first: from, last: to });
  }
  return ranges.length === 0 ? "unsatisfiable" : ranges;
}

/** Adds a range, joined with those that it overlaps or touches, at the place of the first of them or at the end. */
function add(ranges: ByteRange[], range: ByteRange): void {
  let { first, last } = range;
  let place = ranges.length;
  for (;;) {
    const at = ranges.findIndex((other) => other.first <= last + 1 && first <= other.last + 1);
    const other = ranges[at];
    if (other === undefined) break;
    ranges.splice(at, 1);
    place = Math.min(place, at);
    first = Math.min(first, other.first);
    last = Math.max(last, other.last);
  }
  ranges.splice(place, 0, { first, last });
}

/** The value of Content-Range (RFC 9110 §14.4). @param range undefined for 416 */
export function contentRange(range: ByteRange | undefined, size: number): string {
  return range === undefined ? `bytes */${size}` : `bytes ${range.first}-${range.last}/${size}`;
}

/** The text around the parts of multipart/byteranges (RFC 9110 §14.6). */
export interface MultipartRanges {
  /** What goes before each part, in latin1. */
  readonly heads: readonly string[];
  /** What goes behind the last part. */
  readonly tail: string;
  /** Of the whole content in bytes. */
  readonly length: number;
}

/**
 * @param type the media type of each part
 * @param boundary must not occur in the content
 */
export function multipartRanges(
  ranges: readonly ByteRange[],
  size: number,
  type: string,
  boundary: string,
): MultipartRanges {
  const heads = ranges.map(
    (range, index) =>
      `${index === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`,
  );
  const tail = `\r\n--${boundary}--\r\n`;
  const content = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return { heads, tail, length: heads.join("").length + content + tail.length };
}
