import { randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { Answered } from "../exchange/answered.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { evaluatePreconditions, rangeApplies } from "../protocol/http/conditional.ts";
import { isCompressible, mediaType } from "../protocol/http/media-type.ts";
import { acceptableCodings, qualityOf } from "../protocol/http/quality.ts";
import { contentRange, multipartRanges, parseRange } from "../protocol/http/range.ts";
import { fileNames } from "./file-path.ts";
import { mayCompress, readText, sendCompressed, sendRanges } from "./file-transfer.ts";
import { codeOf, Folder, type Opened } from "./folder.ts";
import { folderPage } from "./folder-page.ts";

export interface FileOptions {
  /** The file that is served for its folder; false for none. Default "index.html". */
  index?: string | false;
  /**
   * The page of a single-page application: a file below the root that answers navigations (GET that accepts text/html)
   * to other paths.
   */
  fallback?: string;
  /** Serves names that begin with a dot. Default false: 404. */
  dotFiles?: boolean;
  /** Follows symbolic links below the root that lead to a file below the root. Default false: 404. */
  symbolicLinks?: boolean;
  /** Sends x.br, x.zst or x.gz for x if the file exists and the client accepts it. Default false. */
  precompressed?: boolean;
  /** Compresses text and similar types with brotli or gzip while sending. Default false. */
  compress?: boolean;
  /**
   * The value of Cache-Control, or a function that returns it for a path such as "js/app.js". Default "no-cache":
   * browsers ask each time.
   */
  cacheControl?: string | ((path: string) => string);
  /** Answers folders without an index with a list of their files. Default false: 404. */
  listing?: boolean;
  /** Answers requests without a file. Default: 404. */
  notFound?: (exchange: Exchange) => unknown;
  /** Changes HTML pages of up to 4 MiB before sending. They then have no ETag, ranges or compression. */
  transformHtml?: (html: string, exchange: Exchange) => string;
}

const fileOptionNames: OptionNames<FileOptions> = {
  index: true,
  fallback: true,
  dotFiles: "boolean",
  symbolicLinks: "boolean",
  precompressed: "boolean",
  compress: "boolean",
  cacheControl: true,
  listing: "boolean",
  notFound: true,
  transformHtml: true,
};

type Coding = "br" | "zstd" | "gzip";

const CODING_EXTENSIONS: Readonly<Record<Coding, string>> = { br: ".br", zstd: ".zst", gzip: ".gz" };
const CODINGS: readonly Coding[] = ["br", "zstd", "gzip"];
const CODINGS_ON_THE_FLY = ["br", "gzip"] as const;
/** Below this size nothing is won. */
const COMPRESS_FROM_BYTES = 1_024;
/** More ranges than that have a use only in attacks (RFC 9110 §17.15). */
const MAX_RANGES = 16;
const TRANSFORM_BYTES = 4_194_304;

/** What a path leads to. */
type Found =
  | { readonly kind: "file"; readonly names: readonly string[]; readonly opened: Opened }
  | { readonly kind: "listing"; readonly opened: Opened }
  | { readonly kind: "redirect" };

/**
 * Serves the files of a folder. On a route that ends in "/*" the path is the part that "*" matches; on other routes it
 * is the whole path. Requests cannot reach files outside the folder.
 *
 * Answers conditional requests (RFC 9110 §13) and ranges (§14). Answers 404 if there is no file, 403 if the system
 * denies access, and 503 if the process has no file descriptor left, which `onError` reports.
 * @param root the folder; relative to the current working directory
 * @returns the handler, whose promise resolves with whether a file was served
 * @throws the system's error if the folder does not exist; TypeError if it is not a folder, and for an unknown option
 */
export function serveFiles(
  root: string,
  options: FileOptions = {},
): (exchange: Exchange) => Promise<Answered> {
  checkOptions("serveFiles", options, fileOptionNames);
  const server = new FileServer(root, options);
  return async (exchange) => (await server.serve(exchange)) as Answered;
}

class FileServer {
  private readonly folder: Folder;
  private readonly options: FileOptions;
  private readonly index: string | false;
  private readonly fallback: readonly string[] | undefined;

  constructor(root: string, options: FileOptions) {
    this.folder = new Folder(root, options.symbolicLinks ?? false);
    this.options = options;
    this.index = options.index ?? "index.html";
    this.fallback = options.fallback?.split("/").filter((name) => name !== "");
  }

  async serve(exchange: Exchange): Promise<boolean> {
    const handles: FileHandle[] = [];
    try {
      const names = fileNames(pathBelow(exchange), this.options.dotFiles ?? false);
      const found =
        (names === null ? null : await this.find(names, handles)) ??
        (await this.findFallback(exchange, handles));
      if (found?.kind === "file") await this.sendFile(exchange, found.names, found.opened, handles);
      else if (found?.kind === "listing") await this.sendListing(exchange, found.opened);
      else if (found?.kind === "redirect") redirectToFolder(exchange);
      else if (this.options.notFound !== undefined) await this.options.notFound(exchange);
      else exchange.driver.fail(404, "HTTP_NOT_FOUND");
      return found !== null;
    } catch (error) {
      const status = STATUS_BY_CODE[codeOf(error)];
      if (exchange.headSent || status === undefined) throw error;
      exchange.driver.fail(status, status === 403 ? "HTTP_FORBIDDEN" : "HTTP_UNAVAILABLE");
      if (status === 503) throw error;
      return false;
    } finally {
      for (const handle of handles) await handle.close();
    }
  }

  private async find(names: readonly string[], handles: FileHandle[]): Promise<Found | null> {
    if (names.at(-1) === "") return this.findPage(names.slice(0, -1), handles);
    const opened = await this.open(names, handles);
    if (opened === null) return null;
    if (!opened.isFolder) return { kind: "file", names, opened };
    return (await this.findPage(names, handles)) === null ? null : { kind: "redirect" };
  }

  /** What stands for a folder. */
  private async findPage(names: readonly string[], handles: FileHandle[]): Promise<Found | null> {
    if (this.index !== false) {
      const indexNames = [...names, this.index];
      const opened = await this.open(indexNames, handles);
      if (opened?.isFolder === false) return { kind: "file", names: indexNames, opened };
    }
    if (this.options.listing !== true) return null;
    const opened = await this.open(names, handles);
    return opened?.isFolder === true ? { kind: "listing", opened } : null;
  }

  private async findFallback(exchange: Exchange, handles: FileHandle[]): Promise<Found | null> {
    if (this.fallback === undefined) return null;
    exchange.appendHeader("Vary", "Accept");
    if (!(Number(qualityOf(exchange.header("accept") ?? "", "text/html")) > 0)) return null;
    const opened = await this.open(this.fallback, handles);
    return opened?.isFolder === false ? { kind: "file", names: this.fallback, opened } : null;
  }

  private async open(names: readonly string[], handles: FileHandle[]): Promise<Opened | null> {
    const opened = await this.folder.open(names);
    if (opened !== null) handles.push(opened.handle);
    return opened;
  }

  private async sendListing(exchange: Exchange, opened: Opened): Promise<void> {
    const { dotFiles = false, symbolicLinks = false, transformHtml } = this.options;
    const page = await folderPage(opened, decodeURIComponent(exchange.path), { dotFiles, symbolicLinks });
    this.setCommonFields(exchange, "", "text/html; charset=utf-8");
    exchange.end(transformHtml?.(page, exchange) ?? page);
  }

  private async sendFile(
    exchange: Exchange,
    names: readonly string[],
    original: Opened,
    handles: FileHandle[],
  ): Promise<void> {
    const { transformHtml, precompressed, compress } = this.options;
    const path = names.join("/");
    const type = mediaType(path);
    if (transformHtml !== undefined && type.startsWith("text/html")) {
      const html = await readText(original.handle, Number(original.stats.size), TRANSFORM_BYTES);
      if (html !== undefined) {
        this.setCommonFields(exchange, path, type);
        exchange.end(transformHtml(html, exchange));
        return;
      }
    }
    const variant = precompressed === true ? await this.openVariant(exchange, names, handles) : undefined;
    const { handle, stats } = variant?.opened ?? original;
    const size = Number(stats.size);
    const compressible = compress === true && isCompressible(type) && size >= COMPRESS_FROM_BYTES;
    if (precompressed === true || compressible) exchange.appendHeader("Vary", "Accept-Encoding");
    const wantsRange = exchange.method === "GET" && exchange.header("range") !== undefined;
    // A range needs known bytes, so it is a range of the unchanged file.
    const coding =
      compressible && variant === undefined && !wantsRange && mayCompress()
        ? acceptableCodings(exchange.header("accept-encoding"), CODINGS_ON_THE_FLY)[0]
        : undefined;

    const version = `${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}`;
    const etag = `${coding === undefined ? "" : "W/"}"${version}${variant === undefined ? "" : `-${variant.coding}`}"`;
    // RFC 9110 §8.8.2.1: never later than Date.
    const nowMs = Date.now();
    const modifiedMs = Math.min(Number(stats.mtimeMs), nowMs);
    const validators = { etag, modifiedMs };
    const field = (name: string): string | undefined => exchange.header(name);

    exchange.setHeader("ETag", etag).setHeader("Last-Modified", new Date(modifiedMs).toUTCString());
    const verdict = evaluatePreconditions(exchange.method, field, validators);
    if (verdict !== "proceed") {
      this.setCommonFields(exchange, path);
      exchange.status(verdict === "failed" ? 412 : 304).end();
      return;
    }
    this.setCommonFields(exchange, path, type);
    const used = variant?.coding ?? coding;
    if (used !== undefined) exchange.setHeader("Content-Encoding", used);
    if (coding !== undefined) {
      await sendCompressed(exchange, handle, size, coding);
      return;
    }
    exchange.setHeader("Accept-Ranges", "bytes");
    const range = wantsRange && rangeApplies(field, validators, nowMs) ? exchange.header("range") : undefined;
    await sendFileRanges(exchange, handle, size, type, range);
  }

  /** The file in a coding that the client takes; the best of those that are there. */
  private async openVariant(
    exchange: Exchange,
    names: readonly string[],
    handles: FileHandle[],
  ): Promise<{ opened: Opened; coding: Coding } | undefined> {
    for (const coding of acceptableCodings(exchange.header("accept-encoding"), CODINGS)) {
      const name = `${names.at(-1)}${CODING_EXTENSIONS[coding]}`;
      const opened = await this.open([...names.slice(0, -1), name], handles);
      if (opened?.isFolder === false) return { opened, coding };
    }
    return undefined;
  }

  private setCommonFields(exchange: Exchange, path: string, type?: string): void {
    const { cacheControl = "no-cache" } = this.options;
    exchange.setHeader("Cache-Control", typeof cacheControl === "string" ? cacheControl : cacheControl(path));
    exchange.setHeader("X-Content-Type-Options", "nosniff");
    if (type !== undefined) exchange.setHeader("Content-Type", type);
  }
}

/** What the system says and what the client is told. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  EACCES: 403,
  EPERM: 403,
  EMFILE: 503,
  ENFILE: 503,
};

/** @param range the value of the field where it counts */
async function sendFileRanges(
  exchange: Exchange,
  handle: FileHandle,
  size: number,
  type: string,
  range: string | undefined,
): Promise<void> {
  const ranges = range === undefined ? "whole" : parseRange(range, size, MAX_RANGES);
  if (ranges === "whole") {
    await sendRanges(exchange, handle, size === 0 ? [] : [{ first: 0, last: size - 1 }]);
    return;
  }
  if (ranges === "unsatisfiable") {
    exchange.removeHeader("Content-Type").removeHeader("Content-Encoding");
    exchange.status(416).setHeader("Content-Range", contentRange(undefined, size)).end();
    return;
  }
  exchange.status(206);
  if (ranges.length === 1) {
    exchange.setHeader("Content-Range", contentRange(ranges[0], size));
    await sendRanges(exchange, handle, ranges);
    return;
  }
  const boundary = randomUUID();
  exchange.setHeader("Content-Type", `multipart/byteranges; boundary=${boundary}`);
  await sendRanges(exchange, handle, ranges, multipartRanges(ranges, size, type, boundary));
}

/** The part of a path below its route, as sent, where %2F is not a separator. */
function pathBelow({ path, route }: Exchange): string {
  const skipped = route.endsWith("/*") ? route.split("/").length - 1 : 1;
  return path.split("/").slice(skipped).join("/");
}

/** A relative reference that begins with "./" cannot lead to another host or scheme. */
function redirectToFolder(exchange: Exchange): void {
  const name = exchange.path.slice(exchange.path.lastIndexOf("/") + 1);
  const query = exchange.query === "" ? "" : `?${exchange.query}`;
  exchange.status(307).setHeader("Location", `./${name}/${query}`).end();
}
