-- A chat for browsers: the page on one port, and what is said on another.
local HttpServer, WebSocketServer = require("HttpServer"), require("WebSocketServer")
local chat, web = WebSocketServer(), HttpServer()
local page = C_FileSystem.ReadFile("chat.html")

function chat:WEBSOCKET_MESSAGE_RECEIVED(_, payload)
	self:BroadcastTextMessage(payload.message)
end
local port = chat:StartListening(0)

web:AddRoute("/", "GET")
function web:HTTP_REQUEST_FINISHED(_, payload)
	self:WriteHeader(payload.clientID, "Content-Type", "text/html; charset=utf-8")
	self:SendResponse(payload.clientID, (page:gsub("CHAT_PORT", port)))
end
print("listening on " .. web:StartListening(0))
