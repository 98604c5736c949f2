import type { Table } from "../support/http-case.ts";
import { chunkExtensions, chunks, trailers } from "./chunked.ts";
import { chunkForms, chunkLimits, extensionForms, trailerForms } from "./chunks.ts";
import { persistence, pipelining } from "./connection.ts";
import { expectForms, persistenceForms, upgradeForms } from "./connection-fields.ts";
import { contentLength } from "./content-length.ts";
import { expectations, upgrades } from "./expect-upgrade.ts";
import { fieldLineNames, fieldLineValues, hostForms } from "./field-lines.ts";
import { fieldNames, fieldValues } from "./fields.ts";
import { codingForms, lengthForms } from "./framing.ts";
import { headLimits, headSizes, trailerSizes } from "./head-limits.ts";
import { finalErrors, manyRequests } from "./many-requests.ts";
import { messageFormat, sizes, versions } from "./message-format.ts";
import {
  absoluteForm,
  emptyLines,
  firstBytes,
  methods,
  originForm,
  otherForms,
  requestLineForm,
  versionForms,
} from "./request-forms.ts";
import { hosts, requestLine, targets } from "./request-line.ts";
import { lengthAndCoding, lengths } from "./smuggling-lengths.ts";
import { chunkParts, disguises } from "./smuggling-lines.ts";
import { transferEncoding } from "./transfer-encoding.ts";

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
  methods,
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
