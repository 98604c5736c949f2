const { now: systemTime } = Date;
let second = -1;
let line = "";
/** In which it was made; 0: the next one asks the clock. */
let turn = 0;

/**
 * The Date field line for now, as IMF-fixdate (RFC 9110 §5.6.7), made once a second.
 * @param inTurn the turn of the event loop. All lines of one turn are the same, because it takes as long to ask the
 *   clock as to compose a head. 0 for the time of this call
 * @returns such as "Date: Sun, 06 Nov 1994 08:49:37 GMT" with its CRLF
 */
export function dateLine(inTurn = 0): string {
  // Tests can replace the clock, and move it within a turn.
  const isSystemTime = Date.now === systemTime;
  if (inTurn !== 0 && inTurn === turn && isSystemTime) return line;
  turn = isSystemTime ? inTurn : 0;
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}

/** The next line asks the clock again: a response has told when something changed, and Date must not be before that. */
export function renewDate(): void {
  turn = 0;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = "(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})";
// RFC 9110 §5.6.7: one form is sent today, and two obsolete ones must be understood.
const FORMS = [
  `[A-Z][a-z]{2}, (?<day>\\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT`,
  `[A-Z][a-z]{5,8}, (?<day>\\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\\d{2}) ${TIME} GMT`,
  `[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[\\d ]\\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/**
 * Reads an HTTP-date in any of its three forms (RFC 9110 §5.6.7).
 * @returns milliseconds since 1970, or undefined for an invalid date
 */
export function parseHttpDate(text: string): number | undefined {
  for (const form of FORMS) {
    const groups = form.exec(text)?.groups;
    if (groups === undefined) continue;
    const [year, month, day] = [
      Number(groups["year"]),
      MONTHS.indexOf(groups["month"] ?? ""),
      Number(groups["day"]),
    ];
    const time = [Number(groups["hour"]), Number(groups["minute"]), Number(groups["second"])] as const;
    const date = new Date(
      Date.UTC(groups["year"]?.length === 2 ? fullYear(year) : year, month, day, ...time),
    );
    // A date that overflows, such as the 31st of April or a leap second, is invalid.
    const isReal =
      date.getUTCMonth() === month && date.getUTCDate() === day && date.getUTCHours() === time[0];
    return isReal && time[1] < 60 && time[2] < 60 ? date.getTime() : undefined;
  }
  return undefined;
}

/** Two digits that seem to be more than 50 years in the future mean the past. */
function fullYear(digits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - (now % 100) + digits;
  return year > now + 50 ? year - 100 : year;
}
