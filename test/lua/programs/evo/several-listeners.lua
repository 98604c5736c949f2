-- Two HTTP servers and a WebSocket server, which counts what the others do.
local HttpServer, WebSocketServer = require("HttpServer"), require("WebSocketServer")
local sockets = WebSocketServer()
local counts = { public = 0, admin = 0 }
local function create(name)
	local server = HttpServer()
	server:AddRoute("/", "ANY")
	function server:HTTP_REQUEST_FINISHED(_, payload)
		counts[name] = counts[name] + 1
		self:SendResponse(payload.clientID, name)
		sockets:BroadcastTextMessage(("%s %d"):format(name, counts[name]))
	end
	return server
end
local public, admin = create("public"), create("admin")
printf("listening on %d, %d, %d", public:StartListening(0), admin:StartListening(0), sockets:StartListening(0))
