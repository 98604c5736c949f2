import type { Explained } from "./disagreements.ts";
import type { WebSocketDisagreement } from "./ws-differential.ts";

/** Whether `longer` goes on with control frames only. */
function onlyControls(told: string, longer: string): boolean {
  return longer.startsWith(told) && /^(?:p[io]ng .*\n)*(?:close \d+ .*\n)?$/s.test(longer.slice(told.length));
}

export const webSocketDisagreements: readonly Explained<WebSocketDisagreement>[] = [
  {
    name: "a length that is not in its shortest form",
    rfc: "RFC 6455 §5.2",
    why: "The minimal number of bytes must be used; ws takes any form.",
    applies: ({ ours, theirs }) => ours.end === "WS_LENGTH_NOT_MINIMAL" && theirs.told.startsWith(ours.told),
  },
  {
    name: "a length of more than 63 bits",
    rfc: "RFC 6455 §5.2",
    why: "The most significant bit must be 0: a broken frame, 1002; ws calls it too large, 1009.",
    applies: ({ ours, theirs }) =>
      ours.end === "WS_LENGTH_INVALID" &&
      theirs.end === "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH" &&
      ours.told === theirs.told,
  },
  {
    name: "UTF-8 is judged at the first byte that breaks it",
    rfc: "RFC 6455 §8.1",
    why: "What comes after that byte changes nothing; ws waits for the end of the message.",
    applies: ({ ours, theirs }) => ours.end === "WS_INVALID_UTF8" && onlyControls(ours.told, theirs.told),
  },
  {
    name: "the first byte of a header is judged alone",
    rfc: "RFC 6455 §5.2",
    why: "It cannot become valid; ws looks at two bytes together.",
    applies: ({ ours, theirs, completed }) =>
      ours.closeCode === 1002 &&
      theirs.end === "waits" &&
      ours.told === theirs.told &&
      completed.closeCode === 1002,
  },
  {
    name: "a limit is judged when the header is complete",
    rfc: "RFC 6455 §10.4",
    why: "ws does not wait for the mask.",
    applies: ({ ours, theirs }) =>
      ours.end === "waits" && theirs.end.startsWith("WS_ERR_UNSUPPORTED_") && ours.told === theirs.told,
  },
  {
    name: "a close frame of one byte is judged when the byte is there",
    rfc: "RFC 6455 §5.5.1",
    why: "ws refuses the header.",
    applies: ({ ours, theirs }) =>
      ours.end === "waits" &&
      theirs.end === "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH" &&
      ours.told === theirs.told,
  },
  {
    name: "blocks with BFINAL",
    rfc: "RFC 7692 §7.2.3.4",
    why: "Another block may follow at the next byte; ws ignores what follows.",
    applies: ({ compressed }) => compressed.finalBlocks > 0,
  },
  {
    name: "a compressed message after one without a payload",
    rfc: "RFC 7692 §7.2.2",
    why: "No payload is an empty message. ws takes the tail alone for the beginning of a block, and the next message for the rest of it.",
    applies: ({ compressed }) => compressed.afterNone,
  },
  {
    name: "a compressed message that is cut short",
    rfc: "RFC 7692 §7.2.1",
    why: "It has to end with an empty block whose last bytes are not sent: 1007. ws gives what could be read.",
    applies: ({ ours, theirs, compressed }) =>
      compressed.cutShort && ours.end === "WS_INVALID_DEFLATE" && theirs.told.startsWith(ours.told),
  },
  {
    name: "a compressed message that is a little longer than the limit",
    rfc: "RFC 7692 §7.2.3.3",
    why: "The limit is for the message; ws counts the bytes on the wire, too.",
    applies: ({ deflate, ours, theirs }) =>
      deflate && theirs.end === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" && ours.told.startsWith(theirs.told),
  },
  {
    name: "a compressed message is judged as a whole",
    rfc: "RFC 7692 §6.2",
    why: "All fragments are inflated together; ws inflates each as it comes, and so finds what is wrong earlier.",
    applies: ({ deflate, ours, theirs }) =>
      deflate &&
      /^(?:Z_|WS_ERR_UNSUPPORTED_MESSAGE)/.test(theirs.end) &&
      onlyControls(theirs.told, ours.told),
  },
];
