import * as nodeModule from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { Failure } from "./failure.ts";
import { GENERATION, generationOf, type HookData, missing, stamp } from "./reload-hooks.ts";

/** Node's hooks in the same thread, from Node 22.15 on. */
type RegisterHooks = (hooks: {
  resolve(
    specifier: string,
    context: { parentURL?: string },
    next: (specifier: string, context: object) => { url: string },
  ): { url: string };
}) => unknown;

/** Where Portico's own modules lie: those are never loaded twice. */
const HOME = new URL("../", import.meta.url).href;
const { cache } = nodeModule.createRequire(import.meta.url);

/** Imports a file again and again, with everything that it imports outside of packages. */
export class FreshImport {
  private readonly file: string;
  private readonly loaded = new Set<string>();
  private readonly heard: () => void;
  private generation = 0;

  private constructor(file: string, register: boolean, throughTsx: boolean) {
    this.file = file;
    this.heard = register ? this.register(throughTsx) : () => {};
  }

  /**
   * @param file an absolute path
   * @param again whether it will be imported more than once
   * @throws Failure when the file is TypeScript and neither Node nor tsx can take it
   */
  static async of(file: string, again: boolean): Promise<FreshImport> {
    const throughTsx = /^\.[cm]?tsx?$/.test(extname(file)) && (await acceptTypeScript(file));
    return new FreshImport(file, again, throughTsx);
  }

  /** The files of the last import, as far as it came, and those that it has not found. */
  get files(): string[] {
    this.heard();
    return [...new Set([this.file, ...this.loaded, ...ownCommonJs()])];
  }

  /** @returns what the file exports now @throws what its code throws, and SyntaxError */
  async load(): Promise<object> {
    this.heard();
    this.loaded.clear();
    // Modules in CommonJS have a cache that can be emptied.
    for (const path of ownCommonJs()) delete cache[path];
    const url = pathToFileURL(this.file);
    url.searchParams.set(GENERATION, String(++this.generation));
    return await import(url.href);
  }

  /** @returns what takes in the URLs that the hooks have met */
  private register(throughTsx: boolean): () => void {
    const keep = (url: string): void => {
      if (generationOf(url) === String(this.generation)) this.loaded.add(fileURLToPath(url));
    };
    const registerHooks: RegisterHooks | undefined = Reflect.get(nodeModule, "registerHooks");
    // The hooks of tsx run in the loader's thread, and these have to come before them.
    if (registerHooks !== undefined && !throughTsx) {
      registerHooks({
        resolve: (specifier, context, next) => {
          try {
            const stamped = stamp(next(specifier, context), context.parentURL, HOME);
            keep(stamped.url);
            return stamped;
          } catch (error) {
            keep(missing(specifier, context.parentURL, HOME).url);
            throw error;
          }
        },
      });
      return () => {};
    }
    const { port1, port2 } = new MessageChannel();
    const data: HookData = { home: HOME, port: port2 };
    nodeModule.register(new URL("../cli/reload-hooks.js", import.meta.url), { data, transferList: [port2] });
    return () => {
      for (;;) {
        const received: { message: string } | undefined = receiveMessageOnPort(port1);
        if (received === undefined) return;
        keep(received.message);
      }
    };
  }
}

/** The files of CommonJS modules that belong to no package. */
function ownCommonJs(): string[] {
  const home = fileURLToPath(HOME);
  return Object.keys(cache).filter((path) => !path.includes("node_modules") && !path.startsWith(home));
}

/**
 * Lets TypeScript be imported: Node strips the types itself, or tsx does, where the file's project has it.
 * @returns whether it is tsx
 */
async function acceptTypeScript(file: string): Promise<boolean> {
  if (Reflect.get(process.features, "typescript")) return false;
  const places = [file, fileURLToPath(import.meta.url)].map(nodeModule.createRequire);
  const find = (name: string): string | undefined => {
    for (const place of places) {
      try {
        return place.resolve(name);
      } catch {}
    }
    return undefined;
  };
  // For modules, and for what tsx takes for CommonJS because no package.json says otherwise.
  const apis = [find("tsx/esm/api")?.replace(/cjs$/, "mjs"), find("tsx/cjs/api")];
  for (const api of apis) {
    if (api === undefined) {
      throw new Failure(
        `Node ${process.versions.node} cannot run ${file} by itself. Run npm install tsx, or use Node 22.18 or newer`,
      );
    }
    const { register }: { register: () => unknown } = await import(pathToFileURL(api).href);
    register();
  }
  return true;
}
