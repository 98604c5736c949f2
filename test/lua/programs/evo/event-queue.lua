-- Looks at all events of a server, with a TCP client in the same program.
local uv = require("uv")
local HttpServer = require("HttpServer")
local observed = {}
local server = HttpServer()
server:AddRoute("/*", "GET")
function server.HTTP_REQUEST_FINISHED(_, _, payload)
	server:SendResponse(payload.clientID, "the body")
end
local original = server.OnEvent
function server.OnEvent(self, name, payload)
	original(self, name, payload)
	observed[#observed + 1] = name .. " " .. (payload.clientID == "SERVER" and "SERVER" or "a request")
end
local port = server:StartListening(0)

local received = buffer.new()
local client = uv.new_tcp()
client:connect("127.0.0.1", port, function(err)
	assert(not err, err)
	client:read_start(function(readError, chunk)
		assert(not readError, readError)
		if not chunk then
			return
		end
		received:put(chunk)
		if tostring(received):match("the body") then
			client:shutdown()
			client:close()
			server:StopListening()
		end
	end)
	client:write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
end)
local ticker
ticker = C_Timer.NewTicker(10, function()
	if #observed == 4 then
		ticker:stop()
		uv.stop()
	end
end)
uv.run()
for _, name in ipairs(observed) do
	print(name)
end
assertEquals(#observed, 4)
