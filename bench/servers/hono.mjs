// Peer: Hono on @hono/node-server as its documentation shows it.
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { serve } from "@hono/node-server";
import { app } from "../lib/hono-app.mjs";
import { HOST, secure, tlsOptions } from "../lib/workload.mjs";

const settings = { fetch: app.fetch, port: 0, hostname: HOST };
serve(
  secure
    ? { ...settings, createServer: createSecureServer, serverOptions: tlsOptions() }
    : { ...settings, createServer },
  ({ port }) => console.log(port),
);
