let second = -1;
let line = "";

/**
 * The Date field line for now, as IMF-fixdate (RFC 9110 §5.6.7), made once a second.
 * @returns such as "Date: Sun, 06 Nov 1994 08:49:37 GMT" with its CRLF
 */
export function dateLine(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}
