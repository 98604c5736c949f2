-- A simulation that handles network events at a fixed point of each step.
local uv = require("uv")
local WebSocketServer = require("WebSocketServer")
local world = { players = {}, step = 0 }
local server = WebSocketServer({ pollIntervalMs = 0 })
local moves = { left = { -1, 0 }, right = { 1, 0 }, up = { 0, -1 }, down = { 0, 1 } }

function server:WEBSOCKET_CONNECTION_ESTABLISHED(_, payload)
	world.players[payload.clientID] = { x = 0, y = 0 }
end
function server:WEBSOCKET_MESSAGE_RECEIVED(_, payload)
	if payload.message == "quit" then world.isOver = true end
	world.players[payload.clientID].move = moves[payload.message]
end
function server:WEBSOCKET_CONNECTION_CLOSED(_, payload)
	world.players[payload.clientID] = nil
end
print("listening on " .. server:StartListening(tonumber((...))))

local timer = uv.new_timer()
timer:start(0, 20, function()
	server:ProcessDeferredEvents()
	world.step = world.step + 1
	for id, player in pairs(world.players) do
		if player.move then
			player.x, player.y = player.x + player.move[1], player.y + player.move[2]
			player.move = nil
			server:SendTextMessageToClient(("%d,%d"):format(player.x, player.y), id)
		end
	end
end)
while not world.isOver do uv.run("once") end
timer:close()
server:StopListening()
print("over after some steps: " .. tostring(world.step > 0))
