-- A small operating system: processes with filters, resumed by one loop.
local processes, lastID = {}, 0
local function start(name, f, ...)
  lastID = lastID + 1
  local process = { id = lastID, name = name, co = coroutine.create(f) }
  processes[lastID] = process
  local ok, filter = coroutine.resume(process.co, ...)
  if not ok then print(name .. " has crashed: " .. filter) processes[process.id] = nil return end
  process.filter = filter
  if coroutine.status(process.co) == "dead" then processes[process.id] = nil end
  return process.id
end
start("web", function(port)
  print("listening on " .. http.addListener(port))
  while true do
    local _, _, req, res = os.pullEvent("http_request")
    if req.getURL() == "/crash" then start("child", function() os.pullEvent("crash") error("as asked") end) os.queueEvent("crash") end
    if req.getURL() == "/stop" then os.queueEvent("halt") end
    local names = {}
    for _, process in pairs(processes) do names[#names + 1] = process.name end
    table.sort(names)
    res.write(table.concat(names, " "))
    res.close()
  end
end, 0)
start("clock", function()
  while true do
    os.queueEvent("tick")
    sleep(0.01)
  end
end)
local ticks = 0
start("counter", function()
  while true do
    coroutine.yield("tick")
    ticks = ticks + 1
  end
end)
while true do
  local event = table.pack(coroutine.yield())
  if event[1] == "halt" then break end
  for id = 1, lastID do
    local process = processes[id]
    if process and (process.filter == nil or process.filter == event[1]) then
      local ok, filter = coroutine.resume(process.co, table.unpack(event, 1, event.n))
      process.filter = filter
      if not ok then print(process.name .. " has crashed: " .. filter) end
      if coroutine.status(process.co) == "dead" then processes[id] = nil end
    end
  end
end
print("halted", ticks > 0)
