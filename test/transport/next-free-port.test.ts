import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listenFrom } from "../../src/transport/next-free-port.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe("listening from a port on", () => {
  const free = (port: number) => async (tried: number) => {
    if (tried < port) throw systemError("EADDRINUSE");
    return tried;
  };

  it("uses the first port that is free", async () => {
    assert.equal(await listenFrom(8080, free(8080)), 8080);
    assert.equal(await listenFrom(8080, free(8083)), 8083);
  });

  it("gives up after 20 ports, and at the last port there is", async () => {
    await assert.rejects(listenFrom(8080, free(8100)), /EADDRINUSE/);
    await assert.rejects(listenFrom(65_530, free(70_000)), /EADDRINUSE/);
  });

  it("does not try others after another error", async () => {
    let tries = 0;
    const failing = async (): Promise<never> => {
      tries++;
      throw systemError("EACCES");
    };
    await assert.rejects(listenFrom(80, failing), /EACCES/);
    assert.equal(tries, 1);
  });
});
