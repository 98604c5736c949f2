// The responses of these interfaces are laid down by their documents: the engine adds no type and no content of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpServer } from "../../src/evo/index.ts";
import { HttpResponse } from "../../src/facil/index.ts";
import { addPort, pullRequest, room } from "../craftos/computer.ts";
import { Recording } from "../evo/harness.ts";
import { serve } from "../facil/helpers.ts";

test("evo adds no Content-Type, and no content to its own 404", async (t) => {
  const server = new HttpServer({ host: "127.0.0.1", pollIntervalMs: 1 });
  server.AddRoute("/");
  const seen = new Recording(t, server);
  server.HTTP_REQUEST_FINISHED = (_name, { clientID }) => void server.SendResponse(clientID, "text");
  server.StartListening(0);
  const client = await seen.client();
  const answer = await client.get("/").answer();
  assert.equal(answer.text, "text");
  assert.equal(answer.header("content-type"), undefined);
  const missing = await client.get("/missing").answer();
  assert.deepEqual([missing.status, missing.text, missing.header("content-type")], [404, "", undefined]);
});

test("craftos adds no Content-Type", async (t) => {
  const { http, ask } = room(t);
  const reply = ask(addPort(http));
  const { response } = await pullRequest(http);
  response.write("text");
  response.close();
  const { text, headers } = await reply;
  assert.equal(text, "text");
  assert.equal(headers["content-type"], undefined);
});

test("facil adds no Content-Type", async (t) => {
  const { connect } = await serve(t, (request) => {
    const response = HttpResponse.create(request);
    HttpResponse.write_body(response, "text");
    HttpResponse.send(response);
  });
  const answer = await (await connect()).get("/").answer();
  assert.equal(answer.text, "text");
  assert.equal(answer.header("content-type"), undefined);
});
