/** Events, `os`, `parallel`, and what the host calls. Runs after the layer for Lua 5.1. */
export const CRAFTOS_SYSTEM: string = `
local host = host
local yield, create, resume, status = coroutine.yield, coroutine.create, coroutine.resume, coroutine.status
local error, type, select, pairs, unpack = error, type, select, pairs, table.unpack

_HOST = "Portico (Lua 5.4)"
_CC_DEFAULT_SETTINGS = ""
bit.blshift, bit.brshift = bit32.lshift, bit32.arshift
bit.blogic_rshift, bit.bnot, bit.band, bit.bor, bit.bxor = bit32.rshift, bit32.bnot, bit32.band, bit32.bor, bit32.bxor

-- cc.expect
local expect = {}
local function wrong(value, kinds)
  local n = #kinds
  local list = n < 2 and (kinds[1] or "") or table.concat(kinds, ", ", 1, n - 1) .. " or " .. kinds[n]
  return list .. " expected, got " .. (value == nil and "no value" or type(value)), n
end
local function isOneOf(value, kinds)
  for _, kind in ipairs(kinds) do if type(value) == kind then return true end end
end
function expect.expect(index, value, ...)
  local kinds = { ... }
  if isOneOf(value, kinds) then return value end
  error("bad argument #" .. index .. " (" .. wrong(value, kinds) .. ")", 3)
end
function expect.field(t, name, ...)
  local kinds = { ... }
  if isOneOf(t[name], kinds) then return t[name] end
  error("field '" .. name .. "' missing or wrong (" .. wrong(t[name], kinds) .. ")", 3)
end
function expect.range(number, least, most)
  if number < (least or -math.huge) or number > (most or math.huge) then
    error(("number outside of range (expected %s to be within %s and %s)"):format(number, least, most), 3)
  end
  return number
end
setmetatable(expect, { __call = function(_, ...) return expect.expect(...) end })
host.expect = expect
local check = expect.expect

-- Values of queued events stay here until the event comes.
local queued, lastQueued = {}, 0
host.events = {}
local events = host.events
local function translate(name, ...)
  local first, isQueued = ...
  if isQueued == true and queued[first] then
    local values = queued[first]
    queued[first] = nil
    return name, unpack(values, 1, values.n)
  end
  local own = events[name]
  if own then return name, own(...) end
  return name, ...
end

-- The program runs in a task of the host, which takes events from it. Coroutines of the program get them from whoever
-- resumes them, so they yield.
local isOwn = setmetatable({}, { __mode = "k" })
local takeEvent, running, wrap = host.takeEvent, coroutine.running, coroutine.wrap
local createPlain = create
function create(f)
  local co = createPlain(f)
  isOwn[co] = true
  return co
end
coroutine.create = create
function coroutine.wrap(f)
  return wrap(function(...)
    isOwn[running()] = true
    return f(...)
  end)
end
local nextEvent
local function given(filter, name, ...)
  if name ~= nil then return translate(name, ...) end
  yield()
  return nextEvent(filter)
end
function nextEvent(filter) return given(filter, takeEvent(filter)) end
function coroutine.yield(...)
  if isOwn[running()] then return yield(...) end
  local filter = ...
  return nextEvent(type(filter) == "string" and filter or nil)
end
local pull = coroutine.yield

os = {}
function os.pullEventRaw(filter) return pull(filter) end
local function notTerminated(event, ...)
  if event == "terminate" then error("Terminated", 0) end
  return event, ...
end
function os.pullEvent(filter)
  check(1, filter, "string", "nil")
  return notTerminated(pull(filter))
end
function os.queueEvent(name, ...)
  check(1, name, "string")
  lastQueued = lastQueued + 1
  queued[lastQueued] = table.pack(...)
  host.queueEvent(name, lastQueued)
end
function os.startTimer(seconds) check(1, seconds, "number") return host.startTimer(seconds) end
function os.cancelTimer(id) check(1, id, "number") host.cancelTimer(id) end
function os.setAlarm(hour) check(1, hour, "number") return host.setAlarm(hour) end
function os.cancelAlarm(id) check(1, id, "number") host.cancelAlarm(id) end
function os.sleep(seconds)
  check(1, seconds, "number", "nil")
  local timer = host.startTimer(seconds or 0)
  repeat local _, id = os.pullEvent("timer") until id == timer
end
sleep = os.sleep
function os.clock() return host.uptime() end
function os.time(locale)
  if type(locale) == "table" then return host.time(locale) end
  if locale == "utc" or locale == "local" then
    local t = os.date(locale == "utc" and "!*t" or "*t")
    return t.hour + t.min / 60 + t.sec / 3600
  end
  return host.ingameTime()
end
function os.day(locale)
  if locale == "utc" or locale == "local" then return math.floor(host.time_ms() / 86400000) end
  return host.ingameDay()
end
function os.epoch(locale)
  if locale == "utc" or locale == "local" then return host.time_ms() end
  return (host.ingameDay() * 24 + host.ingameTime()) * 3600000
end
os.date = host.date
function os.difftime(a, b) return a - (b or 0) end
function os.getenv() return nil end
local label
function os.getComputerID() return 0 end
os.computerID = os.getComputerID
function os.getComputerLabel() return label end
os.computerLabel = os.getComputerLabel
function os.setComputerLabel(text) check(1, text, "string", "nil") label = text end
function os.version() return "CraftOS 1.8" end
function os.shutdown(code)
  host.exit(code or 0)
  while true do pull("portico_never") end
end
function os.reboot() os.shutdown(0) end
os.exit = os.shutdown

parallel = {}
local function run(all, ...)
  local routines, alive = { ... }, select("#", ...)
  local wanted = {}
  for i = 1, alive do
    if type(routines[i]) ~= "function" then
      error("bad argument #" .. i .. " (function expected, got " .. type(routines[i]) .. ")", 3)
    end
    routines[i] = create(routines[i])
  end
  local count, event = alive, { n = 0 }
  while true do
    for i = 1, count do
      local co = routines[i]
      if co and (wanted[co] == nil or wanted[co] == event[1] or event[1] == "terminate") then
        local ok, filter = resume(co, unpack(event, 1, event.n))
        if not ok then error(filter, 0) end
        wanted[co] = filter
        if status(co) == "dead" then
          routines[i], alive = false, alive - 1
          if not all or alive == 0 then return i end
        end
      end
    end
    event = table.pack(pull())
  end
end
function parallel.waitForAny(...)
  if select("#", ...) == 0 then return end
  return run(false, ...)
end
function parallel.waitForAll(...)
  if select("#", ...) == 0 then return end
  run(true, ...)
end

-- A promise of the host.
function host.await(number)
  while true do
    local _, id, ok, value = os.pullEvent("portico_done")
    if id == number then
      if not ok then error(value, 3) end
      return value
    end
  end
end
`;
