import assert from "node:assert/strict";
import fc from "fast-check";
import type { HttpLimits } from "../../src/protocol/http1/http-limits.ts";
import { listOf } from "../support/bytes.ts";
import type { Random } from "../support/random.ts";
import type { Campaign } from "./campaign.ts";
import { compareWithNode } from "./http-differential.ts";
import { type HttpSample, httpSample } from "./http-inputs.ts";
import { type HttpRun, readCut, readWhole } from "./http-run.ts";

function bytesOf(sample: HttpSample): Buffer {
  return Buffer.from(sample.items.join(""), "latin1");
}

function check(sample: HttpSample, random: Random): string {
  const input = bytesOf(sample);
  const whole = readWhole(input, sample.setting);
  assert.equal(readCut(input, sample.setting, random).told, whole.told, "cut differs from whole");
  if (sample.expected !== null) assert.equal(whole.requests, sample.expected, "a valid input");
  return outcomeOf(whole);
}

function outcomeOf(run: HttpRun): string {
  if (run.failure !== null) return run.failure.code;
  if (run.inMessage) return "incomplete content";
  if (run.reader.inProgress) return "incomplete head";
  return "accepted";
}

export const http: Campaign<string, HttpLimits> = {
  name: "http",
  outcomes: listOf(
    "accepted¦incomplete head¦incomplete content¦HTTP_BAD_REQUEST_LINE¦HTTP_BAD_TARGET",
    "HTTP_BAD_VERSION¦HTTP_BAD_FIELD¦HTTP_BAD_HOST¦HTTP_BAD_CONTENT_LENGTH¦HTTP_BAD_TRANSFER_ENCODING",
    "HTTP_BAD_CHUNK¦HTTP_LENGTH_REQUIRED¦HTTP_BODY_TOO_LARGE¦HTTP_TARGET_TOO_LONG",
    "HTTP_EXPECTATION_FAILED¦HTTP_HEAD_TOO_LARGE¦HTTP_METHOD_UNKNOWN¦HTTP_CODING_UNKNOWN",
    "HTTP_VERSION_UNSUPPORTED",
  ),
  generate: httpSample,
  check,
  compare: (sample) => compareWithNode(bytesOf(sample)),
  item: fc.string({ unit: "binary", maxLength: 1_000_000 }),
  show: (sample) => `${JSON.stringify(sample.items.join(""))}\nlimits ${JSON.stringify(sample.setting)}`,
};
