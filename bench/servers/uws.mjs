// Peer: uWebSockets.js as its documentation shows it.
import uws from "@trufflesuite/uws-js-unofficial";
import {
  BYTES,
  blobs,
  greeting,
  HOST,
  MAX_MESSAGE_BYTES,
  paths,
  routeAnswer,
  routePattern,
  routes,
  secure,
  TEXT,
  tlsFiles,
} from "../lib/workload.mjs";

const app = secure ? uws.SSLApp({ key_file_name: tlsFiles.key, cert_file_name: tlsFiles.cert }) : uws.App();

app.get("/", (response) => {
  response.writeHeader("Content-Type", TEXT).end(greeting);
});
for (const [path, blob] of Object.entries(blobs)) {
  app.get(path, (response) => {
    response.writeHeader("Content-Type", BYTES).end(blob);
  });
}
for (const route of routes) {
  app.get(routePattern(route), (response, request) => {
    const [id, item] = [request.getParameter(0), request.getParameter(1)];
    const [agent, language] = [request.getHeader("user-agent"), request.getHeader("accept-language")];
    const text = routeAnswer(id, item, agent, language, request.getHeader("cookie"));
    response.writeHeader("Content-Type", TEXT).end(text);
  });
}
app.post("/echo", (response) => {
  /** @type {Buffer[]} */
  const chunks = [];
  response.onAborted(() => {});
  response.onData((chunk, last) => {
    // The chunk is lent: what is kept must be copied, what is sent at once need not.
    if (last && chunks.length === 0) response.writeHeader("Content-Type", TEXT).end(chunk);
    else {
      chunks.push(Buffer.from(chunk.slice(0)));
      if (last) response.writeHeader("Content-Type", TEXT).end(Buffer.concat(chunks));
    }
  });
});
app.put("/upload", (response) => {
  let count = 0;
  response.onAborted(() => {});
  response.onData((chunk, last) => {
    count += chunk.byteLength;
    if (last) response.writeHeader("Content-Type", TEXT).end(String(count));
  });
});

const settings = { maxPayloadLength: MAX_MESSAGE_BYTES, maxBackpressure: MAX_MESSAGE_BYTES };
const deflate = { ...settings, compression: uws.SHARED_COMPRESSOR };
for (const [path, compress] of /** @type {const} */ ([
  [paths.echo, false],
  [paths.deflate, true],
])) {
  app.ws(path, {
    ...(compress ? deflate : settings),
    message: (socket, data, binary) => void socket.send(data, binary, compress),
  });
}
for (const [path, compress] of /** @type {const} */ ([
  [paths.topic, false],
  [paths.topicDeflate, true],
])) {
  app.ws(path, {
    ...(compress ? deflate : settings),
    open: (socket) => void socket.subscribe(path),
    message: (_socket, data, binary) => void app.publish(path, data, binary, compress),
  });
}

app.listen(HOST, 0, (socket) => console.log(socket === false ? "no port" : uws.us_socket_local_port(socket)));
