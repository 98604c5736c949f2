import type { Table } from "../support/http-case.ts";
import { codingForms, contentLength, lengthForms, transferEncoding } from "./body-length.ts";
import {
  chunkExtensions,
  chunkForms,
  chunkLimits,
  chunks,
  extensionForms,
  trailerForms,
  trailers,
} from "./chunked.ts";
import { expectForms, persistence, persistenceForms, pipelining, upgradeForms } from "./connection.ts";
import { expectations, upgrades } from "./expect-upgrade.ts";
import { fieldLineNames, fieldLineValues, fieldNames, fieldValues, hostForms } from "./fields.ts";
import { finalErrors, headLimits, headSizes, manyRequests, trailerSizes } from "./limits.ts";
import { messageFormat, sizes, versions } from "./message-format.ts";
import {
  absoluteForm,
  emptyLines,
  firstBytes,
  hosts,
  methodForms,
  originForm,
  otherForms,
  requestLine,
  requestLineForm,
  targets,
  versionForms,
} from "./request-line.ts";
import { chunkParts, disguises, lengthAndCoding, lengths } from "./smuggling.ts";

/** All cases, by what they are about, in the order of RFC 9112; what is about several of its sections comes last. */
export const tables: readonly Table[] = [
  // §2: the message
  messageFormat,
  firstBytes,
  emptyLines,
  versions,
  versionForms,
  // §3: the request line
  requestLine,
  requestLineForm,
  methodForms,
  targets,
  originForm,
  absoluteForm,
  otherForms,
  hosts,
  hostForms,
  // §5: fields
  fieldNames,
  fieldLineNames,
  fieldValues,
  fieldLineValues,
  // §6: the length of the content
  contentLength,
  lengthForms,
  transferEncoding,
  codingForms,
  // §7: the chunked coding
  chunks,
  chunkForms,
  chunkLimits,
  chunkExtensions,
  extensionForms,
  trailers,
  trailerForms,
  // §9: connections
  persistence,
  persistenceForms,
  pipelining,
  manyRequests,
  finalErrors,
  // RFC 9110 §7.8, §10.1.1
  expectations,
  expectForms,
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
