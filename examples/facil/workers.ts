// Processes and threads that share a port: workers.ts [port] [threads] [processes]. Each response names its process and
// thread.
import cluster from "node:cluster";
import { isMainThread, threadId } from "node:worker_threads";
import { HttpResponse, start_http_server } from "portico/facil";

/** Nothing is shared: each process and thread counts for itself. */
let answers = 0;

await start_http_server(
  (request) => {
    answers++;
    const response = HttpResponse.create(request);
    HttpResponse.write_header(response, "Content-Type", "application/json");
    HttpResponse.write_header(response, "Connection", "close");
    HttpResponse.write_body(response, `${JSON.stringify({ pid: process.pid, thread: threadId, answers })}\n`);
    HttpResponse.destroy(response);
  },
  null,
  {
    port: process.argv[2] ?? "3000",
    threads: Number(process.argv[3] ?? 2),
    processes: Number(process.argv[4] ?? 2),
    on_init(server) {
      // The first thread of the first process.
      if (isMainThread && (cluster.worker?.id ?? 1) === 1) {
        console.log(`Listening at http://127.0.0.1:${server.port}`);
      }
    },
  },
);
