-- Sends back what comes, byte by byte.
local server = require("WebSocketServer")()
function server:WEBSOCKET_MESSAGE_RECEIVED(_, payload)
	if payload.binary then
		self:SendBinaryMessageToClient(payload.message, payload.clientID)
	elseif payload.message == "echo mode" then
		self:SetEchoMode(true)
	else
		self:SendTextMessageToClient(payload.message:reverse(), payload.clientID)
	end
end
function server:SERVER_STARTED_LISTENING(_, payload)
	print("listening on " .. payload.message)
end
server:StartListening(tonumber((...)))
