-- Everybody sees what anybody says.
local WebSocketServer = require("WebSocketServer")
local server = WebSocketServer()
local names, count = {}, 0

function server:WEBSOCKET_CONNECTION_ESTABLISHED(_, payload)
	count = count + 1
	names[payload.clientID] = "guest" .. count
	self:SendTextMessageToClient("welcome, " .. names[payload.clientID], payload.clientID)
	self:BroadcastTextMessage(self:GetNumConnectedClients() .. " here")
end
function server:WEBSOCKET_MESSAGE_RECEIVED(_, payload)
	local name = payload.message:match("^/name (%w+)$")
	if name then
		names[payload.clientID] = name
	else
		self:BroadcastCompressedTextMessage(names[payload.clientID] .. ": " .. payload.message)
	end
end
function server:WEBSOCKET_CONNECTION_CLOSED(_, payload)
	printf("%s has left: %s (%d)", names[payload.clientID], payload.message, payload.code)
	names[payload.clientID] = nil
end
print("listening on " .. server:StartListening(tonumber((...))))
