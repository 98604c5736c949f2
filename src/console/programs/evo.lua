-- A game of 30 steps a second. What players send waits until the
-- loop asks for it, so nothing ever interrupts a step.
local WebSocketServer = require("WebSocketServer")
local json = require("json")

local STEP_MS, EDGE = 1000 / 30, 50
local server = WebSocketServer({ pollIntervalMs = 0 })
local players, step = {}, 0

-- Handlers are named after their events.
function server:WEBSOCKET_CONNECTION_ESTABLISHED(_, payload)
  players[payload.clientID] = { x = 0, direction = 0 }
end
function server:WEBSOCKET_MESSAGE_RECEIVED(_, payload)
  local directions = { left = -1, right = 1 }
  players[payload.clientID].direction = directions[payload.message] or 0
end
function server:WEBSOCKET_CONNECTION_CLOSED(_, payload)
  players[payload.clientID] = nil
end

-- One step: take what has happened, move, tell everybody.
C_Timer.NewTicker(STEP_MS, function()
  server:ProcessDeferredEvents()
  if table.count(players) == 0 then return end
  step = step + 1
  local places = {}
  for _, player in pairs(players) do
    player.x = math.max(-EDGE, math.min(EDGE, player.x + player.direction))
    places[#places + 1] = player.x
  end
  server:BroadcastTextMessage(json.stringify({ step = step, edge = EDGE, places = places }))
end)
print("ws://127.0.0.1:" .. server:StartListening(0) .. "/")
