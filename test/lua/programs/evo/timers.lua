-- Timers next to a server.
local server = require("HttpServer")()
local ticks, events = 0, {}
local ticker = C_Timer.NewTicker(5, function() ticks = ticks + 1 end)
server:AddRoute("/:what", "GET")
function server:HTTP_REQUEST_FINISHED(_, payload)
	local id, url = payload.clientID, self:GetRequestURL(payload.clientID)
	if url == "/ticks" then
		self:SendResponse(id, tostring(ticks))
	elseif url == "/later" then
		coroutine.wrap(function()
			C_Timer.ResumeAfter(30)
			self:SendResponse(id, self:HasRequestDetails(id) and "later" or "gone")
		end)()
	elseif url == "/stop" then
		C_Timer.Stop(ticker)
		self:SendResponse(id, "stopped at " .. ticks)
	end
end
print("listening on " .. server:StartListening(tonumber((...))))
