export interface Point {
  readonly x: number;
  readonly y: number;
}
export const rules: {
  readonly ticksPerSecond: number;
  readonly width: number;
  readonly height: number;
  readonly unitsPerPixel: number;
  readonly speed: number;
  readonly playerRadius: number;
  readonly coinRadius: number;
  readonly sight: number;
  readonly fullPush: number;
};
export function move(from: Point, dx: number, dy: number): Point;
export function isNear(a: Point, b: Point, pixels: number): boolean;
