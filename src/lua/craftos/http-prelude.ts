/** Servers, and handles that are read and written like files. */
export const CRAFTOS_HTTP: string = String.raw`
local host = host
local check = host.expect.expect
local error, type, rawset, next, setmetatable = error, type, rawset, next, host.setmetatable
local pullEvent, pullEventRaw = os.pullEvent, os.pullEventRaw
local create, resume, status, unpack = coroutine.create, coroutine.resume, coroutine.status, table.unpack
local STATE = {}

-- What the host remembers is released with the state of its handles.
local function released(release)
  local meta = { __gc = function(state) release(state.id) end }
  return function(state) return host.setmetatable(state, meta) end
end

-- A class of handles: tables whose functions are made when they are asked for, because most are not.
local function class(methods)
  local meta = {}
  function meta.__index(handle, name)
    local method = methods[name]
    if method == nil then return nil end
    local state = handle[STATE]
    local function bound(...) return method(state, ...) end
    rawset(handle, name, bound)
    return bound
  end
  local function names(handle, key)
    local value
    repeat key, value = next(handle, key) until key ~= STATE
    return key, value
  end
  function meta.__pairs(handle)
    for name in next, methods do local _ = handle[name] end
    return names, handle, nil
  end
  return function(state, fields)
    -- There is room for the functions that most programs ask for.
    local handle = fields or { [STATE] = state, write = nil, setResponseHeader = nil, close = nil }
    handle[STATE] = state
    return setmetatable(handle, meta)
  end
end

local function closed() error("attempt to use a closed file", 3) end

-- Reading, of content that is loaded when it is first read.
local function content(state)
  if state.closed then error("attempt to use a closed file", 4) end
  local text = state.content
  if text == nil then
    text = host.content(state.id)
    state.content, state.at = text, 0
  end
  return text
end
local readMethods = {}
function readMethods.read(state, count)
  check(1, count, "number", "nil")
  local text, at = content(state), state.at
  if at >= #text then return nil end
  local part = text:sub(at + 1, at + (count or 1))
  state.at = at + #part
  return part
end
function readMethods.readLine(state, withTrailing)
  local text, at = content(state), state.at
  if at >= #text then return nil end
  local stop = text:find("\n", at + 1, true)
  state.at = stop or #text
  return text:sub(at + 1, stop and not withTrailing and stop - 1 or state.at)
end
function readMethods.readAll(state)
  local text, at = content(state), state.at
  state.at = #text
  return text:sub(at + 1)
end
function readMethods.seek(state, whence, offset)
  local text = content(state)
  local base = whence == "set" and 0 or whence == "end" and #text or state.at
  if base + (offset or 0) < 0 then return nil, "Position is negative" end
  state.at = base + (offset or 0)
  return state.at
end
function readMethods.close(state)
  if state.closed then closed() end
  state.closed = true
end
host.readMethods = readMethods
host.handleClass = class

local function anyCase(headers)
  return setmetatable(headers, { __index = function(t, wanted)
    if type(wanted) ~= "string" then return nil end
    wanted = wanted:lower()
    for name, value in next, t do if name:lower() == wanted then return value end end
  end })
end
host.anyCase = anyCase
local requestMethods = {}
for name, method in next, readMethods do requestMethods[name] = method end
function requestMethods.getURL(state) return host.getURL(state.id) end
function requestMethods.getMethod(state) return host.getMethod(state.id) end
function requestMethods.getRequestHeaders(state) return anyCase(host.getRequestHeaders(state.id)) end
local responseMethods = {}
function responseMethods.write(state, text) host.writeBody(state.id, text) end
function responseMethods.writeLine(state, text) host.writeBodyLine(state.id, text) end
function responseMethods.flush(state) host.flush(state.id) end
function responseMethods.close(state) host.closeResponse(state.id) end
function responseMethods.setStatusCode(state, code, reason) host.setStatusCode(state.id, code, reason) end
function responseMethods.setResponseHeader(state, name, value) host.setResponseHeader(state.id, name, value) end

local request, response, pairState = class(requestMethods), class(responseMethods), released(host.releasePair)
function host.events.http_request(port, id)
  local state = pairState({ id = id })
  return port, request(state), response(state)
end

http = {}
function http.addListener(port)
  check(1, port, "number")
  return host.addListener(port)
end
function http.removeListener(port)
  check(1, port, "number")
  host.removeListener(port)
end
-- The callback can wait. Requests that come meanwhile are kept for it, and other coroutines see every event.
function http.listen(port, callback)
  check(1, port, "number")
  check(2, callback, "function")
  local listening = http.addListener(port)
  local waiting, first = {}, 1
  local function serve(req, res)
    local co = create(callback)
    local ok, result = resume(co, req, res)
    while status(co) ~= "dead" do
      local event = table.pack(pullEventRaw())
      if event[1] == "http_request" and event[2] == listening then waiting[#waiting + 1] = event end
      if result == nil or result == event[1] or event[1] == "terminate" then
        ok, result = resume(co, unpack(event, 1, event.n))
      end
    end
    if not ok then error(result, 0) end
    return result
  end
  local ok, message = pcall(function()
    while true do
      local event, about, req, res
      if waiting[first] then
        event, about, req, res = unpack(waiting[first], 1, 4)
        waiting[first] = nil
        first = first + 1
      else
        waiting, first = {}, 1
        event, about, req, res = pullEvent()
      end
      if event == "server_stop" then return end
      if event == "http_request" and about == listening and serve(req, res) then return end
    end
  end)
  host.removeListener(listening)
  if not ok then error(message, 0) end
end

-- WebSockets. Waits end with any event, and the host knows what has come.
local function waitFor(take, state, timeout)
  check(1, timeout, "number", "nil")
  local timer = timeout and os.startTimer(timeout)
  while true do
    if state.closed then closed() end
    local result, more = take(state.id)
    if result ~= nil then
      if timer then os.cancelTimer(timer) end
      return result, more
    end
    local event, id = pullEvent()
    if event == "timer" and id == timer then return nil end
  end
end
local clientMethods = {}
function clientMethods.receive(state, timeout)
  local message, binary = waitFor(host.takeMessage, state, timeout)
  if message then return message, binary end
end
function clientMethods.send(state, message, binary)
  check(1, message, "string", "number", "boolean")
  if state.closed then closed() end
  return host.sendToClient(state.id, tostring(message), binary)
end
function clientMethods.close(state)
  if state.closed then return end
  state.closed = true
  host.closeClient(state.id)
end
local newClient, clientState = class(clientMethods), released(host.releaseClient)
local clients = setmetatable({}, { __mode = "v" })
local function client(id, clientID)
  local known = clients[id]
  if known == nil then
    known = newClient(clientState({ id = id }), { clientID = clientID })
    clients[id] = known
  end
  return known
end
function host.events.websocket_server_connect(port, id, clientID) return port, client(id, clientID) end

local serverMethods = {}
function serverMethods.listen(state, timeout)
  local id, clientID = waitFor(host.takeClient, state, timeout)
  if id then return client(id, clientID) end
end
function serverMethods.close(state)
  if state.closed then return end
  state.closed = true
  host.closeServer(state.id)
end
local server, serverState = class(serverMethods), released(host.releaseServer)
function http.websocketServer(port, headers)
  check(1, port, "number")
  check(2, headers, "table", "nil")
  local id, real = host.websocketServer(port, headers)
  if id == nil then return nil, real end
  return server(serverState({ id = id }), { port = real })
end
`;
