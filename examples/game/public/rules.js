// What the server and the browsers must compute alike. Positions are whole numbers of 1/32 pixel, so both get the same.

/** @type {import("./rules.d.ts").rules} */
export const rules = {
  ticksPerSecond: 30,
  /** Of the arena, in pixels. */
  width: 1600,
  height: 900,
  unitsPerPixel: 32,
  /** In pixels per second. */
  speed: 300,
  playerRadius: 18,
  coinRadius: 10,
  /** How far a player sees, in pixels. */
  sight: 500,
  /** A push of the stick to its end. */
  fullPush: 127,
};

/**
 * One tick of one player's movement.
 * @param {{ x: number, y: number }} from in units
 * @param {number} dx the push of the stick, -127 to 127
 * @param {number} dy
 */
export function move(from, dx, dy) {
  const { unitsPerPixel, speed, ticksPerSecond, width, height, playerRadius, fullPush } = rules;
  const step = (speed * unitsPerPixel) / ticksPerSecond;
  // A stick pushed into a corner is not faster than one pushed to a side.
  const length = Math.max(fullPush, Math.sqrt(dx * dx + dy * dy));
  const margin = playerRadius * unitsPerPixel;
  return {
    x: clamp(from.x + Math.round((dx * step) / length), margin, width * unitsPerPixel - margin),
    y: clamp(from.y + Math.round((dy * step) / length), margin, height * unitsPerPixel - margin),
  };
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

/**
 * @param {{ x: number, y: number }} a
 * @param {{ x: number, y: number }} b
 * @param {number} pixels how far apart the points can be
 */
export function isNear(a, b, pixels) {
  // Each tick compares every player with all others of the arena, and Math.hypot is slow.
  const dx = a.x - b.x;
  const dy = a.y - b.y;
  const reach = pixels * rules.unitsPerPixel;
  return dx * dx + dy * dy < reach * reach;
}
