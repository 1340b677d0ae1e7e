// The exchange's behaviour on the reference implementation of Socket.IO: joins without acknowledgement, text in text,
// a server-side disconnect on request. Started by the test with the folder that holds node_modules.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const require = createRequire(process.argv[2] + "/");
const { Server } = require("socket.io");
const http = createServer();
const io = new Server(http, { transports: ["websocket"], pingInterval: 25000, pingTimeout: 20000, perMessageDeflate: false });
const send = (socket, event, data) => socket.emit(event, { event, data: JSON.stringify(data) });

io.on("connection", (socket) => {
  socket.on("join", ({ channelName, authSignature }) => {
    console.log(JSON.stringify({ joined: channelName, signed: Boolean(authSignature) }));
    if (channelName === "currentPrices@futures@rt") {
      const timer = setInterval(() => send(socket, "currentPrices@futures#update",
        { vs: 1, ts: Date.now(), pr: "futures", prices: { "B-ETH_USDT": { mp: 2900.25 } } }), 100);
      socket.on("disconnect", () => clearInterval(timer));
    }
  });
});
http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: http.address().port })));
createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line);
  if (command.emit) io.sockets.sockets.forEach((socket) => send(socket, command.emit, command.data));
  if (command.kick) io.disconnectSockets(false);
}).on("close", () => process.exit(0));
