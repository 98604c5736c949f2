import { ways } from "../../test/architecture/ways.ts";
import { drawHouse } from "./house.ts";
import { themes } from "./svg.ts";
import { drawWay } from "./way.ts";

/** Returns the pictures by their path in the repository. */
export function pictures(): Map<string, string> {
  const drawn = new Map<string, string>();
  for (const theme of themes) {
    drawn.set(`docs/house-${theme.name}.svg`, drawHouse(theme));
    for (const way of ways) drawn.set(`docs/way-of-a-${way.of}-${theme.name}.svg`, drawWay(way, theme));
  }
  return drawn;
}
