-- A chat for browsers: the page on one port, and what is said on another.
local file = fs.open("chat.html", "r")
local page = file.readAll()
file.close()
local chat = assert(http.websocketServer(0, { ["Sec-WebSocket-Protocol"] = "chat" }))
local clients = {}
print("listening on " .. http.addListener(0))
while true do
  local event, a, b, c = os.pullEvent()
  if event == "http_request" then
    c.setResponseHeader("Content-Type", "text/html; charset=utf-8")
    c.write((page:gsub("CHAT_PORT", tostring(chat.port))))
    c.close()
  elseif event == "websocket_server_connect" then
    clients[b.clientID] = b
  elseif event == "websocket_server_message" then
    for _, client in pairs(clients) do client.send(b) end
  elseif event == "websocket_server_closed" then
    clients[a] = nil
  end
end
