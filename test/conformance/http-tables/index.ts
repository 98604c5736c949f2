import type { Table } from "../http-case.ts";
import { chunkExtensions, chunks, trailers } from "./chunked.ts";
import { persistence, pipelining } from "./connection.ts";
import { contentLength } from "./content-length.ts";
import { expectations, upgrades } from "./expect-upgrade.ts";
import { fieldNames, fieldValues } from "./fields.ts";
import { messageFormat, sizes, versions } from "./message-format.ts";
import { hosts, requestLine, targets } from "./request-line.ts";
import { lengthAndCoding, lengths } from "./smuggling-lengths.ts";
import { chunkParts, disguises } from "./smuggling-lines.ts";
import { transferEncoding } from "./transfer-encoding.ts";

/** All cases, by what they are about. */
export const tables: readonly Table[] = [
  messageFormat,
  versions,
  requestLine,
  targets,
  hosts,
  fieldNames,
  fieldValues,
  contentLength,
  transferEncoding,
  chunks,
  chunkExtensions,
  trailers,
  persistence,
  pipelining,
  expectations,
  upgrades,
  lengthAndCoding,
  lengths,
  chunkParts,
  disguises,
  sizes,
];
