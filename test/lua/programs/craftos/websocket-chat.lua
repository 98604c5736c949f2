-- Everybody sees what anybody says, in one loop of events.
local server = assert(http.websocketServer(0))
print("listening on " .. server.port)
local clients = {}
local function broadcast(text)
  for _, client in pairs(clients) do client.send(text) end
end
while true do
  local event, a, b, c = os.pullEvent()
  if event == "websocket_server_connect" then
    clients[b.clientID] = b
    broadcast("someone is here")
  elseif event == "websocket_server_message" then
    if b == "/quit" then
      clients[a].close()
    else
      broadcast("> " .. b)
    end
  elseif event == "websocket_server_closed" then
    clients[a] = nil
    print("closed", b, c)
  end
end
