import type { Table } from "../support/http-case.ts";
import { contentLength, lengthForms, transferEncoding } from "./body-length.ts";
import { chunkExtensions, chunkForms, chunks, trailers } from "./chunked.ts";
import { finalErrors, persistence, pipelining, upgradeForms } from "./connection.ts";
import { expectations, upgrades } from "./expect-upgrade.ts";
import { fieldNames, fieldValues } from "./fields.ts";
import { headLimits, headSizes, trailerSizes } from "./limits.ts";
import { messageFormat, sizes, versions } from "./message-format.ts";
import { firstBytes, hosts, requestLine, targets } from "./request-line.ts";
import { chunkParts, disguises, lengthAndCoding, lengths } from "./smuggling.ts";

/** All cases, by what they are about, in the order of RFC 9112; what is about several of its sections comes last. */
export const tables: readonly Table[] = [
  // §2: the message
  messageFormat,
  firstBytes,
  versions,
  // §3: the request line
  requestLine,
  targets,
  hosts,
  // §5: fields
  fieldNames,
  fieldValues,
  // §6: the length of the content
  contentLength,
  transferEncoding,
  lengthForms,
  // §7: the chunked coding
  chunks,
  chunkExtensions,
  trailers,
  chunkForms,
  // §9: connections
  persistence,
  pipelining,
  finalErrors,
  // RFC 9110 §7.8, §10.1.1
  expectations,
  upgrades,
  upgradeForms,
  // §11: what attackers make of all that
  lengthAndCoding,
  lengths,
  chunkParts,
  disguises,
  sizes,
  headLimits,
  headSizes,
  trailerSizes,
];
