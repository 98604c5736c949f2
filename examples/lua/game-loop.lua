-- A game whose server is polled at one point of each step: npx portico lua game-loop.lua 9001
local WebSocketServer = require("WebSocketServer")
local players, moves = {}, { left = -1, right = 1 }
local server = WebSocketServer({ pollIntervalMs = 0 })

function server:WEBSOCKET_CONNECTION_ESTABLISHED(_, payload)
  players[payload.clientID] = { x = 0 }
end
function server:WEBSOCKET_CONNECTION_CLOSED(_, payload)
  players[payload.clientID] = nil
end
function server:WEBSOCKET_MESSAGE_RECEIVED(_, payload)
  players[payload.clientID].move = moves[payload.message]
end
print("listening on " .. server:StartListening(tonumber((...)) or 9001))

C_Timer.NewTicker(33, function()
  server:ProcessDeferredEvents()
  for id, player in pairs(players) do
    if player.move then
      player.x, player.move = player.x + player.move, nil
      server:BroadcastTextMessage(id .. " " .. player.x)
    end
  end
end)
