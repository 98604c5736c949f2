/** The servers and the event loop. */
export const EVO_SERVERS: string = `
local host = host
local preload = package.preload
local wait = host.wait
local setmetatable, getmetatable, rawset, type, error = setmetatable, getmetatable, rawset, type, error
local servers = {}

local function nothing() end

-- A class whose methods can be replaced, on each server and for all of them. The host delivers only events that somebody
-- handles; while 'OnEvent' is replaced, all.
local handled = { ASYNC_POLLING_UPDATE = true, OnEvent = true }
local function class(name, events, open)
  local Base = {}
  for _, event in ipairs(events) do
    Base[event] = nothing
    handled[event] = true
  end
  function Base:ASYNC_POLLING_UPDATE() end
  function Base:UNKNOWN_OR_INVALID_WEBSERVER_EVENT(event)
    error("there is no handler for the event " .. tostring(event) .. ": add a method with this name", 0)
  end
  function Base:OnEvent(event, payload)
    local handler = self[event]
    if handler == nil then handler = self.UNKNOWN_OR_INVALID_WEBSERVER_EVENT end
    return handler(self, event, payload)
  end
  local Class = { DEFAULT_PORT = 9001, __name = name }
  Class.__index = Class
  function Class.__newindex(server, key, value)
    rawset(server, key, value)
    if handled[key] then host.want(server.handle, key) end
  end
  local wanted = {}
  local function Construct(_, options)
    options = options or {}
    for name in pairs(options) do
      if name ~= "pollIntervalMs" then error("the option of a server is pollIntervalMs, not " .. tostring(name), 2) end
    end
    local server = { handle = open(options.pollIntervalMs) }
    servers[server.handle] = server
    for event in pairs(wanted) do host.want(server.handle, event) end
    return setmetatable(server, Class)
  end
  Class.Construct = Construct
  function Class:StartListening(port) return host.listen(self.handle, port or self.DEFAULT_PORT) end
  function Class:StopListening() host.stopListening(self.handle) end
  function Class:ProcessDeferredEvents() host.poll(self.handle) end
  return setmetatable(Class, {
    __index = Base,
    __call = Construct,
    __newindex = function(_, key, value)
      rawset(Class, key, value)
      if not handled[key] then return end
      wanted[key] = true
      for _, server in pairs(servers) do
        if getmetatable(server) == Class then host.want(server.handle, key) end
      end
    end,
  })
end

function host.onEvent(handle, event, eventTypeID, clientID, message, binary, code)
  local server = servers[handle]
  local payload = { eventTypeID = eventTypeID, clientID = clientID, message = message, binary = binary, code = code }
  server:OnEvent(event, payload)
end
function host.onUpdate(handle)
  local server = servers[handle]
  local update = server.ASYNC_POLLING_UPDATE
  if update then update(server, "ASYNC_POLLING_UPDATE") end
end

local HttpServer = class("HttpServer", {
  "SERVER_STARTED_LISTENING", "SERVER_STOPPED_LISTENING", "HTTP_REQUEST_STARTED", "HTTP_DATA_RECEIVED",
  "HTTP_REQUEST_FINISHED", "HTTP_CONNECTION_ABORTED", "HTTP_CONNECTION_WRITABLE",
}, host.openHttp)
function HttpServer:AddRoute(route, method) host.addRoute(self.handle, route, method) end
function HttpServer:GetRegisteredRoutes(method) return host.getRoutes(self.handle, method) end
function HttpServer:GetRequestDetails(id) return host.getDetails(self.handle, id) end
function HttpServer:GetRequestMethod(id) return host.getMethod(self.handle, id) end
function HttpServer:GetRequestURL(id) return host.getURL(self.handle, id) end
function HttpServer:GetRequestQuery(id) return host.getQuery(self.handle, id) end
function HttpServer:GetRequestEndpoint(id) return host.getEndpoint(self.handle, id) end
function HttpServer:GetRequestHeader(id, name) return host.getHeader(self.handle, id, name) end
function HttpServer:GetRequestHeaders(id) return host.getHeaders(self.handle, id) end
function HttpServer:HasRequestDetails(id) return host.hasDetails(self.handle, id) end
function HttpServer:WriteStatus(id, status) return host.writeStatus(self.handle, id, status) end
function HttpServer:WriteHeader(id, name, value) return host.writeHeader(self.handle, id, name, value) end
function HttpServer:WriteResponse(id, chunk) return host.writeResponse(self.handle, id, chunk) end
function HttpServer:SendResponse(id, body) return host.sendResponse(self.handle, id, body) end
function HttpServer:StreamResponse(id, chunk, size) return host.streamResponse(self.handle, id, chunk, size) end
preload.HttpServer = function() return HttpServer end

local WebSocketServer = class("WebSocketServer", {
  "SERVER_STARTED_LISTENING", "SERVER_STOPPED_LISTENING", "WEBSOCKET_CONNECTION_ESTABLISHED",
  "WEBSOCKET_MESSAGE_RECEIVED", "WEBSOCKET_CONNECTION_CLOSED",
}, host.openWebSocket)
local TEXT, BINARY, COMPRESSED = 0, 1, 2
function WebSocketServer:SendTextMessageToClient(message, id) return host.send(self.handle, TEXT, message, id) end
function WebSocketServer:SendBinaryMessageToClient(message, id) return host.send(self.handle, BINARY, message, id) end
function WebSocketServer:SendCompressedTextMessageToClient(message, id) return host.send(self.handle, COMPRESSED, message, id) end
function WebSocketServer:BroadcastTextMessage(message) return host.broadcast(self.handle, TEXT, message) end
function WebSocketServer:BroadcastBinaryMessage(message) return host.broadcast(self.handle, BINARY, message) end
function WebSocketServer:BroadcastCompressedTextMessage(message) return host.broadcast(self.handle, COMPRESSED, message) end
function WebSocketServer:GetNumConnectedClients() return host.countClients(self.handle) end
function WebSocketServer:SetEchoMode(enabled) host.setEchoMode(self.handle, enabled) end
preload.WebSocketServer = function() return WebSocketServer end

-- The event loop. Handles are objects of the host, named by numbers.
local uv = { hrtime = host.hrtime, now = host.now, cwd = host.cwd, os_getpid = host.pid, getpid = host.pid }
function uv.run(mode)
  if host.run(mode or "default") then return wait() end
  return false
end
function uv.stop() host.stop() end
function uv.update_time() end
function uv.loop_alive() return host.isAlive() end
function uv.sleep(ms) host.sleep(ms) wait() end
function uv.gettimeofday() local ms = host.time_ms() return math.floor(ms / 1000), ms % 1000 * 1000 end
function uv.os_uname() return { sysname = "Portico", machine = "wasm32", release = "", version = "" } end

local callbacks = {}
function host.onCallback(handle, event, ...)
  local own = callbacks[handle]
  local callback = own and own[event]
  if callback then return callback(...) end
end
function host.onClosed(handle)
  local own = callbacks[handle]
  callbacks[handle] = nil
  if own and own.close then own.close() end
end
local function object(methods, handle)
  callbacks[handle] = {}
  return setmetatable({ handle = handle }, methods)
end
local function methodsOf(kind)
  local methods = { __name = "uv_" .. kind .. "_t" }
  methods.__index = methods
  function methods:close(callback)
    local own = callbacks[self.handle]
    if own == nil then return end
    own.close = callback
    host.close(self.handle)
  end
  function methods:is_closing() return callbacks[self.handle] == nil or host.isClosing(self.handle) end
  function methods:is_active() return host.isActive(self.handle) end
  local unreferenced = setmetatable({}, { __mode = "k" })
  function methods:ref() unreferenced[self] = nil host.reference(self.handle, true) end
  function methods:unref() unreferenced[self] = true host.reference(self.handle, false) end
  function methods:has_ref() return not unreferenced[self] end
  return methods
end
local function own(self)
  return callbacks[self.handle] or error("the handle is closed", 3)
end

local Timer = methodsOf("timer")
function Timer:start(delay, interval, callback)
  own(self).timer = callback
  host.startTimer(self.handle, delay, interval)
  return 0
end
function Timer:stop() host.stopTimer(self.handle) return 0 end
function Timer:again() host.againTimer(self.handle) return 0 end
function Timer:set_repeat(interval) host.setRepeat(self.handle, interval) end
function Timer:get_repeat() return host.getRepeat(self.handle) end
function Timer:get_due_in() return host.getDueIn(self.handle) end
function uv.new_timer() return object(Timer, host.newTimer()) end

local Tcp = methodsOf("tcp")
function Tcp:connect(address, port, callback) own(self).connect = callback host.connect(self.handle, address, port) return self end
function Tcp:read_start(callback) own(self).read = callback host.readStart(self.handle) return 0 end
function Tcp:read_stop() host.readStop(self.handle) return 0 end
function Tcp:write(data, callback)
  if type(data) == "table" then data = table.concat(data) end
  local waits = own(self)
  waits.writes, waits.last = waits.writes or {}, (waits.last or 0) + 1
  waits.writes[waits.last] = callback
  waits.write = waits.write or function(number, message)
    local done = waits.writes[number]
    waits.writes[number] = nil
    if done then done(message) end
  end
  host.writeTcp(self.handle, data, waits.last)
  return self
end
function Tcp:try_write(data) self:write(data) return #data end
function Tcp:shutdown(callback) own(self).shutdown = callback host.shutdown(self.handle) return self end
function Tcp:nodelay() return 0 end
function Tcp:keepalive() return 0 end
function Tcp:getpeername() return host.getAddress(self.handle, true) end
function Tcp:getsockname() return host.getAddress(self.handle, false) end
function uv.new_tcp() return object(Tcp, host.newTcp()) end

local Signal = methodsOf("signal")
function Signal:start(callback, name) own(self).signal = callback host.startSignal(self.handle, name or "sigint") return 0 end
function Signal:stop() host.stopSignal(self.handle) return 0 end
function uv.new_signal() return object(Signal, host.newSignal()) end
-- Each method is a function of uv, too: with the kind in its name, unless handles of several kinds have it.
local shared = {}
for method in ("close is_closing is_active ref unref has_ref read_start read_stop write try_write shutdown"):gmatch("%S+") do
  shared[method] = true
end
for name, methods in pairs({ timer = Timer, tcp = Tcp, signal = Signal }) do
  for method, code in pairs(methods) do
    if type(code) == "function" then
      uv[shared[method] and method or name .. "_" .. method] = function(self, ...) return self[method](self, ...) end
    end
  end
end
preload.uv = function() return uv end

-- Timers of the runtime.
local function check(value, wanted, name)
  if type(value) ~= wanted then
    error(("Expected argument %s to be a %s value, but received a %s value instead"):format(name, wanted, type(value)), 3)
  end
end
host.check = check
local started = setmetatable({}, { __mode = "k" })
local function checkTimer(timer)
  if getmetatable(timer) ~= Timer then
    error(("Expected argument tickerOrOneshotTimer to be a userdata value, but received a %s value instead"):format(type(timer)), 3)
  end
end
C_Timer = {}
function C_Timer.After(delayInMilliseconds, callback)
  check(delayInMilliseconds, "number", "delayInMilliseconds")
  check(callback, "function", "callback")
  local timer = uv.new_timer()
  started[timer] = uv.hrtime()
  timer:start(delayInMilliseconds, 0, function()
    timer:stop()
    timer:close()
    callback()
  end)
  return timer
end
function C_Timer.NewTicker(delayInMilliseconds, callback)
  check(delayInMilliseconds, "number", "delayInMilliseconds")
  check(callback, "function", "callback")
  local timer = uv.new_timer()
  started[timer] = uv.hrtime()
  timer:start(delayInMilliseconds, delayInMilliseconds, function() callback(timer) end)
  return timer
end
function C_Timer.Stop(timer) checkTimer(timer) timer:stop() timer:close() end
function C_Timer.Pause(timer) checkTimer(timer) timer:stop() end
function C_Timer.Resume(timer) checkTimer(timer) host.resumeTimer(timer.handle) end
function C_Timer.GetRemainingTime(timer) checkTimer(timer) return timer:is_closing() and 0 or timer:get_due_in() end
function C_Timer.GetElapsedTime(timer)
  checkTimer(timer)
  return timer:is_closing() and 0 or (uv.hrtime() - (started[timer] or uv.hrtime())) / 1e6
end
local function resumeLater(delay)
  local co = coroutine.running()
  if co == nil then error("Cannot yield from the main thread (wrap async task in a coroutine)", 3) end
  C_Timer.After(delay, function()
    local ok, message = coroutine.resume(co)
    if not ok then error(message, 0) end
  end)
  coroutine.yield()
end
function C_Timer.ResumeAfter(delayInMilliseconds)
  check(delayInMilliseconds, "number", "delayInMilliseconds")
  resumeLater(delayInMilliseconds)
end
function C_Timer.Defer(callback)
  if callback == nil then return resumeLater(0) end
  check(callback, "function", "callback")
  C_Timer.After(0, callback)
end

local function fileCall(call)
  return function(path, ...)
    check(path, "string", "path")
    return call(path, ...)
  end
end
C_FileSystem = {
  AppendFile = fileCall(host.appendFile), Delete = fileCall(host.delete), Exists = fileCall(host.exists),
  IsDirectory = fileCall(host.isDirectory), IsFile = fileCall(host.isFile),
  MakeDirectory = fileCall(host.makeDirectory), MakeDirectoryTree = fileCall(host.makeDirectoryTree),
  ReadDirectory = fileCall(host.readDirectory), ReadDirectoryTree = fileCall(host.readDirectoryTree),
  ReadFile = fileCall(host.readFile), WriteFile = fileCall(host.writeFile),
}
`;
