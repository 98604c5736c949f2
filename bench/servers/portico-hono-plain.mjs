// The application of the peer Hono on Portico with the platform's own Request and Response.
import { Server } from "../../dist/index.js";
import { app } from "../lib/hono-app.mjs";
import { HOST, MAX_UPLOAD_BYTES, secure, tlsOptions } from "../lib/workload.mjs";

const server = new Server();
server.fetch(app.fetch, "/", { maxBodyBytes: MAX_UPLOAD_BYTES });
const tls = secure ? { tls: tlsOptions() } : {};
console.log((await server.listen({ port: 0, host: HOST, ...tls })).port);
