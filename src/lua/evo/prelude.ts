/** Coroutines as in LuaJIT, `require`, and what the host calls. Runs after the layer for Lua 5.1. */
export const EVO_PRELUDE: string = String.raw`
local host = host
local create, resume, yield, running, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.running, coroutine.status
local error, type, select = error, type, select

-- A task of the host is a coroutine, too. The program sees it as the main thread, and its waits pass through the
-- coroutines of the program.
local WAIT = {}
local isOwn = setmetatable({}, { __mode = "k" })

local function pass(co, ok, first, ...)
  if ok and first == WAIT then return pass(co, resume(co, yield(WAIT))) end
  return ok, first, ...
end
function coroutine.create(f)
  local co = create(f)
  isOwn[co] = true
  return co
end
function coroutine.resume(co, ...) return pass(co, resume(co, ...)) end
local function unwrap(ok, ...)
  if not ok then error(..., 0) end
  return ...
end
function coroutine.wrap(f)
  local co = coroutine.create(f)
  return function(...) return unwrap(pass(co, resume(co, ...))) end
end
function coroutine.running()
  local co = running()
  return isOwn[co] and co or nil
end
function coroutine.isyieldable() return isOwn[running()] == true end
function coroutine.yield(...)
  if not isOwn[running()] then error("attempt to yield from outside a coroutine", 2) end
  return yield(...)
end
function host.wait() return yield(WAIT) end
host.resume = coroutine.resume

-- Modules of the program are files in its folder, and in the current one.
local loaded, preload = {}, {}
package = { loaded = loaded, preload = preload, path = "./?.lua;./?/init.lua", cpath = "", config = "/\n;\n?\n!\n-\n" }
for _, name in ipairs({ "coroutine", "debug", "math", "string", "table", "bit" }) do loaded[name] = _G[name] end
loaded._G = _G
require = function(name)
  if loaded[name] ~= nil then return loaded[name] end
  local loader, where = preload[name], ":preload:"
  if loader == nil then
    local tried = {}
    for pattern in package.path:gmatch("[^;]+") do
      local path = pattern:gsub("%?", (name:gsub("%.", "/")))
      local code = host.readModule(path)
      if code ~= nil then
        local message
        loader, message = load(code, "@" .. path:gsub("^%./", ""))
        where = path
        if loader == nil then error("error loading module '" .. name .. "': " .. message, 2) end
        break
      end
      tried[#tried + 1] = "\n\tno file '" .. path .. "'"
    end
    if loader == nil then
      error("module '" .. name .. "' not found:\n\tno field package.preload['" .. name .. "']" .. table.concat(tried), 2)
    end
  end
  loaded[name] = true
  local value = loader(name, where)
  if value ~= nil then loaded[name] = value end
  return loaded[name]
end
function loadfile(path, mode, env)
  local code, message = host.readModule(path)
  if code == nil then return nil, message end
  return load(code, "@" .. path, "t", env or _G)
end
function dofile(path)
  local f, message = loadfile(path)
  if f == nil then error(message, 2) end
  return f()
end

os = {
  clock = host.clock, time = host.time, date = host.date, getenv = function() return nil end,
  difftime = function(a, b) return a - (b or 0) end, exit = function(code) host.exit(code) host.wait() end,
  remove = function(path) local ok, message = host.delete(path) if ok then return true end return nil, message end,
  tmpname = function() error("temporary files are not available", 2) end,
}
local Output = { write = function(self, ...)
  for i = 1, select("#", ...) do self.put(tostring((select(i, ...)))) end
  return self
end, flush = function(self) return self end, close = function() return true end, setvbuf = function() return true end }
Output.__index = Output
io = {
  stdout = setmetatable({ put = host.write }, Output),
  stderr = setmetatable({ put = host.writeError }, Output),
  write = function(...) return io.stdout:write(...) end,
}
-- Files are read and written as a whole.
local File = {}
File.__index = File
function io.open(path, mode)
  mode = mode or "r"
  local text, message = "", nil
  if not mode:find("w") then
    text, message = host.readFile(path)
    if text == nil then
      if not mode:find("a") then return nil, message end
      text = ""
    end
  else
    local ok, why = host.writeFile(path, "")
    if not ok then return nil, why end
  end
  return setmetatable({ path = path, text = text, at = mode:find("a") and #text or 0, writes = mode:find("[wa+]") ~= nil }, File)
end
function File:read(what)
  what = what == nil and "l" or what
  if type(what) == "number" then
    if self.at >= #self.text and what > 0 then return nil end
    local part = self.text:sub(self.at + 1, self.at + what)
    self.at = self.at + #part
    return part
  end
  what = what:gsub("^%*", ""):sub(1, 1)
  if what == "a" then
    local rest = self.text:sub(self.at + 1)
    self.at = #self.text
    return rest
  end
  if self.at >= #self.text then return nil end
  if what == "n" then
    local from, to, number = self.text:find("^%s*([-+%d.eExX]+)", self.at + 1)
    if from then self.at = to end
    return from and tonumber(number) or nil
  end
  local stop = self.text:find("\n", self.at + 1, true) or #self.text + 1
  local line = self.text:sub(self.at + 1, what == "L" and stop or stop - 1)
  self.at = stop
  return line
end
function File:lines(what) return function() return self:read(what) end end
function File:write(...)
  if not self.writes then return nil, "Bad file descriptor" end
  local added = {}
  for i = 1, select("#", ...) do added[i] = tostring((select(i, ...))) end
  local part = table.concat(added)
  self.text = self.text:sub(1, self.at) .. part .. self.text:sub(self.at + #part + 1)
  self.at, self.changed = self.at + #part, true
  return self
end
function File:seek(whence, offset)
  local base = whence == "set" and 0 or whence == "end" and #self.text or self.at
  self.at = math.max(0, base + (offset or 0))
  return self.at
end
function File:flush()
  if self.changed then self.changed = not host.writeFile(self.path, self.text) end
  return self
end
function File:close() self:flush() return true end
function io.lines(path)
  local file, message = io.open(path)
  if file == nil then error(message, 2) end
  return file:lines()
end
function io.type(file) return getmetatable(file) == File and "file" or nil end

function host.globals() return _G end
function host.await()
  local ok, value = host.wait()
  if not ok then error(value, 3) end
  return value
end
function host.main(code, name, ...)
  local folder = name:match("^@(.*)/[^/]*$")
  if folder then package.path = package.path .. ";" .. folder .. "/?.lua;" .. folder .. "/?/init.lua" end
  arg = { [0] = name:gsub("^@", ""), ... }
  local f, message = load(code, name)
  if f == nil then error(message, 0) end
  return f(...)
end
`;
