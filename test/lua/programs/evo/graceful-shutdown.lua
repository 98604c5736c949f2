-- Ends when it is told to; what is pending is answered.
local uv = require("uv")
local HttpServer = require("HttpServer")
local server = HttpServer()
server:AddRoute("/wait", "GET")
server:AddRoute("/stop", "POST")
function server:HTTP_REQUEST_FINISHED(_, payload)
	local id = payload.clientID
	if self:GetRequestURL(id) == "/stop" then
		self:SendResponse(id, "stopping")
		C_Timer.After(20, function()
			self:StopListening()
			uv.stop()
		end)
	end
end
function server:SERVER_STOPPED_LISTENING(_, payload)
	print("stopped: " .. payload.message)
end
print("listening on " .. server:StartListening(tonumber((...))))
uv.run()
print("done")
