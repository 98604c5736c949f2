// One sample: a server in a fresh process, its answers checked, and the load of a cell.
import { checkHttp, checkWebSocket, openWebSocket } from "./answers.mjs";
import { isWebSocket } from "./cells.mjs";
import { httpExchanges, wireAnswer } from "./http-exchanges.mjs";
import { measureIdle } from "./idle.mjs";
import { CEILING, serverCommand } from "./peers.mjs";
import { run, startServer } from "./processes.mjs";
import { handshakeAnswer, handshakeRequest, webSocketExchanges } from "./websocket-exchanges.mjs";

/** @typedef {import("./cells.mjs").Cell} Cell */
/** @typedef {import("./processes.mjs").RunningServer} RunningServer */
/**
 * @typedef {object} Sample
 * @property {number} value in the cell's unit
 * @property {number} [busy] the server's processor time per second of load
 * @property {number} [loadBusy] that of the load: when it is near 1 and `busy` is not, the load was the limit
 * @property {number} [p50] µs, as those below
 * @property {number} [p90]
 * @property {number} [p99]
 * @property {number} [p999]
 * @property {number} [max]
 * @property {number} [heap] bytes
 */
/** @typedef {{ warmSeconds: number, seconds: number }} Duration */

/** What a load may take beyond its own time; ten thousand handshakes take seconds. */
const GRACE_MS = 40_000;

/** The requests and answers of one cell, and the files that have them. */
export class Measurement {
  /**
   * @param {Cell} cell
   * @param {Duration} duration
   * @param {import("./programs.mjs").Programs} programs
   */
  constructor(cell, duration, programs) {
    this.cell = cell;
    this.duration = { ...duration, warmSeconds: duration.warmSeconds * (cell.warmth ?? 1) };
    this.programs = programs;
    const once = cell.request === undefined ? [] : httpExchanges(cell.request);
    // What is in flight together can leave in one write where the cycle is long enough.
    this.http = Array.from({ length: cell.depth > 1 ? cell.depth * 16 : 1 }, () => once).flat();
    this.webSocket = isWebSocket(cell) ? webSocketExchanges(cell) : [];
    const all = [...this.http, ...this.webSocket];
    this.requests = programs.writeCycle(
      "requests",
      all.map(({ request }) => request),
    );
    const wire = [...this.http.map(wireAnswer), ...this.webSocket.map(({ answer }) => answer)];
    this.wire = programs.writeCycle("wire", wire);
  }

  /** @param {string} peer @returns {Promise<Sample>} */
  async sample(peer) {
    const started = performance.now();
    const server = await startServer(peer, this.command(peer));
    try {
      const { cell, duration } = this;
      switch (cell.kind) {
        case "start":
          return await this.measureStart(server, started);
        case "idle":
          return await measureIdle(server, cell);
        case "upload":
          return await this.load("upload", server, this.times(duration));
        case "half-load":
          return await this.measureHalfLoad(server, peer);
        default:
          return await this.measureLoad(server, peer);
      }
    } finally {
      await server.stop();
    }
  }

  /** @param {string} peer */
  command(peer) {
    const { cell, programs } = this;
    if (peer === CEILING) {
      const handshake = isWebSocket(cell) ? ["-h", handshakeAnswer(cell)] : [];
      const toAll = cell.kind === "broadcast" ? ["-b"] : [];
      return [programs.paths.ceiling, "-q", this.requests, "-a", this.wire, ...handshake, ...toAll];
    }
    return serverCommand(peer, [isWebSocket(cell) ? "websocket" : "http", ...(cell.tls ? ["tls"] : [])]);
  }

  /**
   * @param {RunningServer} server
   * @param {string} peer
   */
  async measureLoad(server, peer) {
    const args = [...(await this.check(server, peer)), ...this.times(this.duration)];
    return this.load(this.cell.kind === "broadcast" ? "broadcast" : "exchanges", server, args);
  }

  /**
   * The p99 at half of the rate that the server has just reached.
   * @param {RunningServer} server
   * @param {string} peer
   */
  async measureHalfLoad(server, peer) {
    const args = await this.check(server, peer);
    const most = await this.load("exchanges", server, [...args, ...this.times(this.duration)]);
    const rate = String(most.value / 2);
    const half = await this.load("exchanges", server, [...args, ...this.times(this.duration), "-r", rate]);
    return { ...half, value: half.p99 ?? Number.NaN };
  }

  /**
   * @param {RunningServer} server
   * @param {number} started
   * @returns {Promise<Sample>}
   */
  async measureStart({ port }, started) {
    if (isWebSocket(this.cell)) (await openWebSocket(port, this.cell)).close();
    else await checkHttp(port, this.cell, this.http);
    return { value: performance.now() - started };
  }

  /**
   * Checks the answers. Of the bare server only the load does that: it knows nothing but the load's own requests.
   * @param {RunningServer} server
   * @param {string} peer
   * @returns {Promise<string[]>} the load's arguments for them
   */
  async check({ port }, peer) {
    const { cell, programs, requests } = this;
    const bare = peer === CEILING;
    const flags = [...(cell.tls ? ["-s"] : []), ...(cell.churn ? ["-x"] : [])];
    /** @type {readonly Buffer[]} */
    let answers = this.http.map(({ content }) => content);
    if (isWebSocket(cell)) {
      flags.push("-h", handshakeRequest(cell));
      answers = bare
        ? this.webSocket.map(({ answer }) => answer)
        : await checkWebSocket(port, cell, this.webSocket);
    } else if (!bare) await checkHttp(port, cell, this.http);
    const files = ["-q", requests, "-a", programs.writeCycle("answers", answers)];
    return [...files, ...flags, "-c", `${cell.connections}`, "-i", `${cell.depth}`];
  }

  /** @param {Duration} duration */
  times({ warmSeconds, seconds }) {
    return ["-w", `${warmSeconds}`, "-d", `${seconds}`];
  }

  /**
   * @param {"exchanges" | "upload" | "broadcast"} program
   * @param {RunningServer} server
   * @param {readonly string[]} args
   * @returns {Promise<Sample>}
   */
  async load(program, { port, pid }, args) {
    const { warmSeconds, seconds } = this.duration;
    const command = this.programs.paths[program];
    const timeoutMs = (warmSeconds + seconds) * 1000 + GRACE_MS;
    const output = await run(command, ["-p", `${port}`, "-P", `${pid}`, ...args], { timeoutMs, load: true });
    const number = (/** @type {string} */ name) => Number(RegExp(`\\b${name}=([\\d.]+)`).exec(output)?.[1]);
    if (!(number("rate") > 0)) throw new Error(`the load gave no rate: ${output.trim()}`);
    return {
      value: number("rate"),
      busy: number("busy"),
      loadBusy: number("load"),
      p50: number("p50"),
      p90: number("p90"),
      p99: number("p99"),
      p999: number("p999"),
      max: number("max"),
    };
  }
}
