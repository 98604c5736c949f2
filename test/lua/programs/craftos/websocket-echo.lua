-- A coroutine for each client.
local server = assert(http.websocketServer(tonumber((...)), { ["X-Server"] = "echo" }))
print("listening on " .. server.port)
local function talk(client)
  while true do
    local message, binary = client.receive()
    if message == nil then return end
    client.send(message, binary)
    if message == "bye" then
      client.close()
      return
    end
  end
end
local routines = {}
local function run(co, ...)
  local ok, filter = coroutine.resume(co, ...)
  if not ok then error(filter, 0) end
  if coroutine.status(co) ~= "dead" then routines[co] = filter or true else routines[co] = nil end
end
run(coroutine.create(function()
  while true do
    local client = server.listen()
    run(coroutine.create(talk), client)
  end
end))
while true do
  local event = table.pack(os.pullEvent())
  local before = {}
  for co, filter in pairs(routines) do before[co] = filter end
  for co, filter in pairs(before) do
    if filter == true or filter == event[1] then run(co, table.unpack(event, 1, event.n)) end
  end
end
