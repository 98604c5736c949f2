import type { Frame } from "./frame.ts";
import type { HostFunction } from "./machine.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** A point of time by its parts, in the local zone or in UTC. */
interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly min: number;
  readonly sec: number;
  readonly wday: number;
  readonly yday: number;
}

function partsOf(time: Date, isUtc: boolean): Parts {
  const shifted = isUtc ? time : new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  const year = shifted.getUTCFullYear();
  const midnight = Date.UTC(year, shifted.getUTCMonth(), shifted.getUTCDate());
  return {
    year,
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    min: shifted.getUTCMinutes(),
    sec: shifted.getUTCSeconds(),
    wday: shifted.getUTCDay() + 1,
    yday: Math.round((midnight - Date.UTC(year, 0, 1)) / 86_400_000) + 1,
  };
}

const two = (value: number): string => String(value).padStart(2, "0");

function conversion(letter: string, parts: Parts, time: Date, isUtc: boolean): string {
  const { year, month, day, hour, min, sec, wday, yday } = parts;
  const weekday = DAYS[wday - 1] ?? "";
  const monthName = MONTHS[month - 1] ?? "";
  const clock = `${two(hour)}:${two(min)}:${two(sec)}`;
  const all: Readonly<Record<string, string>> = {
    a: weekday.slice(0, 3),
    A: weekday,
    b: monthName.slice(0, 3),
    B: monthName,
    c: `${weekday.slice(0, 3)} ${monthName.slice(0, 3)} ${String(day).padStart(2)} ${clock} ${year}`,
    d: two(day),
    D: `${two(month)}/${two(day)}/${two(year % 100)}`,
    e: String(day).padStart(2),
    F: `${year}-${two(month)}-${two(day)}`,
    H: two(hour),
    I: two(hour % 12 === 0 ? 12 : hour % 12),
    j: String(yday).padStart(3, "0"),
    m: two(month),
    M: two(min),
    n: "\n",
    p: hour < 12 ? "AM" : "PM",
    R: `${two(hour)}:${two(min)}`,
    S: two(sec),
    t: "\t",
    T: clock,
    u: String(wday === 1 ? 7 : wday - 1),
    w: String(wday - 1),
    x: `${two(month)}/${two(day)}/${two(year % 100)}`,
    X: clock,
    y: two(year % 100),
    Y: String(year),
    z: isUtc ? "+0000" : zoneOf(time),
    Z: isUtc ? "GMT" : zoneOf(time),
    "%": "%",
  };
  const text = all[letter];
  if (text === undefined) throw new TypeError(`invalid conversion specifier '%${letter}'`);
  return text;
}

function zoneOf(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  return `${minutes < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
}

/** `os.date(format, time)` */
function date(frame: Frame): number {
  let format = frame.textOr(1, "%c");
  const time = new Date(frame.numberOr(2, Date.now() / 1_000) * 1_000);
  const isUtc = format.startsWith("!");
  if (isUtc) format = format.slice(1);
  const parts = partsOf(time, isUtc);
  if (!format.startsWith("*t")) {
    frame.pushText(format.replace(/%(.?)/gs, (_, letter: string) => conversion(letter, parts, time, isUtc)));
    return 1;
  }
  frame.pushTable(0, 9);
  for (const [name, value] of Object.entries(parts)) {
    frame.pushNumber(value);
    frame.setField(name);
  }
  frame.pushBoolean(false);
  frame.setField("isdst");
  return 1;
}

/** `os.time(table)`, with the parts of a date in the local zone. */
function time(frame: Frame): number {
  if (frame.isNil(1)) {
    frame.pushNumber(Math.floor(Date.now() / 1_000));
    return 1;
  }
  const parts = frame.record(1);
  const part = (name: string, other?: number): number => {
    const value = parts[name] === undefined ? other : Number(parts[name]);
    if (value === undefined || Number.isNaN(value))
      throw new TypeError(`field '${name}' missing in date table`);
    return value;
  };
  const moment = new Date(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour", 12),
    part("min", 0),
    part("sec", 0),
  );
  frame.pushNumber(Math.floor(moment.getTime() / 1_000));
  return 1;
}

/** What both flavours know of time. */
export const clockFunctions: Readonly<Record<string, HostFunction>> = {
  date,
  time,
  clock(frame) {
    frame.pushNumber(process.cpuUsage().user / 1e6);
    return 1;
  },
  time_ms(frame) {
    frame.pushNumber(Date.now());
    return 1;
  },
};
