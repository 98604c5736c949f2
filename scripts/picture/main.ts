// npm run picture: writes the pictures of docs/architecture.md.
import { writeFileSync } from "node:fs";
import { pictures } from "./pictures.ts";

const root = new URL("../../", import.meta.url);
for (const [path, svg] of pictures()) writeFileSync(new URL(path, root), svg);
