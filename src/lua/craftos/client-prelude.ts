/** Requests and WebSockets to other servers. */
export const CRAFTOS_CLIENTS: string = `
local host = host
local check, class, anyCase, readMethods = host.expect.expect, host.handleClass, host.anyCase, host.readMethods
local error, type, next, tostring, pullEvent = error, type, next, tostring, os.pullEvent
local function closed() error("attempt to use a closed file", 3) end

local replyMethods = {}
for name, method in next, readMethods do replyMethods[name] = method end
function replyMethods.getResponseCode(state) return state.code, state.reason end
function replyMethods.getResponseHeaders(state) return state.headers end
local reply = class(replyMethods)
local function newReply(code, reason, headers, text)
  return reply({ code = code, reason = reason, headers = anyCase(headers), content = text, at = 0 })
end
function host.events.http_success(url, ...) return url, newReply(...) end
function host.events.http_failure(url, message, code, ...)
  if code == nil then return url, message end
  return url, message, newReply(code, ...)
end
function http.request(url, body, headers)
  if type(url) == "table" then
    local options = url
    host.expect.field(options, "url", "string")
    host.request(options.url, options.body, options.headers, options.method, options.timeout)
  else
    check(1, url, "string")
    host.request(url, body, headers)
  end
  return true
end
local function fetch(...)
  http.request(...)
  local options = ...
  local wanted = type(options) == "table" and options.url or options
  while true do
    local event, url, result, failed = pullEvent()
    if url == wanted then
      if event == "http_success" then return result end
      if event == "http_failure" then return nil, result, failed end
    end
  end
end
function http.get(url, headers)
  check(1, url, "string", "table")
  if type(url) == "table" then return fetch(url) end
  return fetch(url, nil, headers)
end
function http.post(url, body, headers)
  check(1, url, "string", "table")
  if type(url) == "table" then return fetch(url) end
  return fetch(url, body or "", headers)
end
http.checkURL = host.checkURL
function http.checkURLAsync(url)
  os.queueEvent("http_check", url, host.checkURL(url))
  return true
end

local socketMethods, sockets = {}, {}
function socketMethods.receive(state, timeout)
  check(1, timeout, "number", "nil")
  local timer = timeout and os.startTimer(timeout)
  while true do
    if state.first <= #state.messages then
      local message = state.messages[state.first]
      state.messages[state.first] = false
      state.first = state.first + 1
      if state.first > #state.messages then state.messages, state.first = {}, 1 end
      if timer then os.cancelTimer(timer) end
      return message[1], message[2]
    end
    if state.closed then closed() end
    if state.gone then return nil end
    local event, id = pullEvent()
    if event == "timer" and id == timer then return nil end
  end
end
function socketMethods.send(state, message, binary)
  if state.closed then closed() end
  host.sendToSocket(state.id, tostring(message), binary)
end
function socketMethods.close(state)
  if state.closed then return end
  state.closed = true
  host.closeSocket(state.id)
end
local socket = class(socketMethods)
function host.events.websocket_success(url, id)
  local state = { id = id, messages = {}, first = 1 }
  sockets[url] = state
  return url, socket(state)
end
function host.events.websocket_message(url, message, binary)
  local state = sockets[url]
  if state then state.messages[#state.messages + 1] = { message, binary } end
  return url, message, binary
end
function host.events.websocket_closed(url, reason, code)
  local state = sockets[url]
  if state then state.gone, sockets[url] = true, nil end
  return url, reason, code
end
function http.websocketAsync(url, headers)
  check(1, url, "string")
  host.openSocket(url, headers)
  return true
end
function http.websocket(url, headers)
  check(1, url, "string")
  http.websocketAsync(url, headers)
  while true do
    local event, about, result = pullEvent()
    if about == url then
      if event == "websocket_success" then return result end
      if event == "websocket_failure" then return false, result end
    end
  end
end
`;
