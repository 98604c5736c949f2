/** `fs`, `io`, loading of files, and `require`. */
export const CRAFTOS_FILES: string = String.raw`
local host = host
local check = host.expect.expect
local load, error, type, pairs, select, tostring, unpack = load, error, type, pairs, select, tostring, table.unpack

fs = { exists = host.exists, isDir = host.isDir, isReadOnly = host.isReadOnly, list = host.list }
function fs.combine(...)
  local parts = { ... }
  for i = 1, #parts do check(i, parts[i], "string") end
  return host.combine(table.concat(parts, "/"))
end
function fs.getName(path) local name = host.combine(path):match("[^/]*$") return name == "" and "root" or name end
function fs.getDir(path)
  local plain = host.combine(path)
  if plain == "" then return ".." end
  return plain:match("^(.*)/[^/]*$") or ""
end
function fs.getSize(path) return (host.attributes(path)) end
function fs.getDrive(path) return host.exists(path) and (host.isReadOnly(path) and "rom" or "hdd") or nil end
function fs.getFreeSpace() return 1e9 end
function fs.getCapacity() return 1e9 end
function fs.isDriveRoot(path) local plain = host.combine(path) return plain == "" or plain == "rom" end
function fs.attributes(path)
  local size, isDir, created, modified = host.attributes(path)
  return { size = size, isDir = isDir, isReadOnly = host.isReadOnly(path), created = created, modified = modified, modification = modified }
end
function fs.makeDir(path) host.makeDir(path) end
function fs.delete(path) host.delete(path) end
function fs.move(from, to) host.move(from, to) end
function fs.copy(from, to) host.copy(from, to) end
function fs.find(pattern)
  local found = {}
  local parts = {}
  for part in host.combine(pattern):gmatch("[^/]+") do
    parts[#parts + 1] = "^" .. part:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
  end
  local function enter(path, depth)
    if depth > #parts then found[#found + 1] = path return end
    if not host.isDir(path) then return end
    for _, name in ipairs(host.list(path)) do
      if name:find(parts[depth]) then enter(host.combine(path .. "/" .. name), depth + 1) end
    end
  end
  enter("", 1)
  return found
end
function fs.complete(text, path, files, dirs)
  local folder, start = text:match("^(.*/)([^/]*)$")
  folder, start = host.combine(path .. "/" .. (folder or "")), start or text
  local found = {}
  if not host.isDir(folder) then return found end
  for _, name in ipairs(host.list(folder)) do
    if name:sub(1, #start) == start then
      local isDir = host.isDir(folder .. "/" .. name)
      if isDir and dirs ~= false then found[#found + 1] = name:sub(#start + 1) .. "/" end
      if not isDir and files ~= false then found[#found + 1] = name:sub(#start + 1) end
    end
  end
  return found
end

-- A file is read when it is opened, and written when it is flushed or closed.
local function openFile(path, mode)
  check(1, path, "string")
  check(2, mode, "string")
  local kind = mode:sub(1, 1)
  if not mode:find("^[rwa]%+?b?%+?$") then error("Unsupported mode", 3) end
  local writes = kind ~= "r" or mode:find("+", 1, true) ~= nil
  local text, message = "", nil
  if kind ~= "w" then
    text, message = host.readFile(path)
    if text == nil and kind == "r" then return nil, message end
    text = text or ""
  end
  if writes and (host.isReadOnly(path) or host.isDir(path)) then return nil, "/" .. host.combine(path) .. ": Access denied" end
  local state = { content = text, at = kind == "a" and #text or 0, path = path }
  if kind == "w" then
    local ok, why = pcall(host.writeFile, path, "")
    if not ok then return nil, (tostring(why):gsub("^[^/]*: ", "")) end
  end
  local handle = {}
  local function use() if state.closed then error("attempt to use a closed file", 3) end end
  local function save()
    if not state.parts then return end
    local added = table.concat(state.parts)
    state.content = state.content:sub(1, state.at) .. added .. state.content:sub(state.at + #added + 1)
    state.at, state.parts = state.at + #added, nil
    state.changed = true
  end
  local function flush()
    save()
    if state.changed then host.writeFile(path, state.content) end
    state.changed = false
  end
  if kind == "r" or mode:find("+", 1, true) then
    local read = host.readMethods
    local isBinary = mode:find("b", 1, true) ~= nil
    function handle.read(count)
      use() save()
      local part = read.read(state, count)
      if isBinary and count == nil and part then return part:byte() end
      return part
    end
    function handle.readLine(withTrailing) use() save() return read.readLine(state, withTrailing) end
    function handle.readAll() use() save() return read.readAll(state) end
  end
  if writes then
    function handle.write(value)
      use()
      state.parts = state.parts or {}
      state.parts[#state.parts + 1] = type(value) == "number" and mode:find("b", 1, true) and string.char(value % 256) or tostring(value)
    end
    function handle.writeLine(value) use() handle.write(value) handle.write("\n") end
    function handle.flush() use() flush() end
  end
  function handle.seek(whence, offset) use() save() return host.readMethods.seek(state, whence or "cur", offset) end
  function handle.close()
    use()
    if writes then flush() end
    state.closed = true
  end
  return handle
end
fs.open = openFile

-- io, on top of it.
local File = {}
File.__index = File
File.__name = "FILE*"
local function wrap(handle) return setmetatable({ handle = handle }, File) end
-- The number that comes next; what follows it stays unread.
local function readNumber(handle)
  local digits, c = "", nil
  repeat
    c = handle.read(1)
    if type(c) == "number" then c = string.char(c) end
  until c == nil or not c:find("%s")
  while c and c:find("[%w.+-]") and #digits < 200 do
    digits = digits .. c
    c = handle.read(1)
    if type(c) == "number" then c = string.char(c) end
  end
  if c and handle.seek then handle.seek("cur", -1) end
  return tonumber(digits)
end
function File:read(...)
  local wanted, results = { ... }, {}
  if #wanted == 0 then wanted[1] = "l" end
  for i, what in ipairs(wanted) do
    what = type(what) == "string" and what:gsub("^%*", ""):sub(1, 1) or what
    if what == "a" then results[i] = self.handle.readAll() or ""
    elseif what == "L" then results[i] = self.handle.readLine(true)
    elseif what == "l" then results[i] = self.handle.readLine()
    elseif what == "n" then results[i] = readNumber(self.handle)
    else results[i] = self.handle.read(what) end
    if type(results[i]) == "number" and type(what) == "number" then results[i] = string.char(results[i]) end
  end
  return unpack(results, 1, #wanted)
end
function File:lines(...)
  local what = table.pack(...)
  return function() return self:read(unpack(what, 1, what.n)) end
end
function File:write(...)
  for i = 1, select("#", ...) do self.handle.write((select(i, ...))) end
  return self
end
function File:seek(...) return self.handle.seek(...) end
function File:flush() if self.handle.flush then self.handle.flush() end return self end
function File:close() self.isClosed = true self.handle.close() return true end
function File:setvbuf() end
io = {}
local output = wrap({ write = function(text) host.write(tostring(text)) end, flush = function() end, close = function() end })
io.stdout, io.stderr = output, wrap({ write = function(text) host.writeError(tostring(text)) end, close = function() end })
io.stdin = wrap({ readLine = function() return read() end, readAll = function() return read() end, read = function() return read() end, close = function() end })
local defaultOutput, defaultInput = output, io.stdin
function io.open(path, mode)
  local handle, message = openFile(path, mode or "r")
  if handle == nil then return nil, message end
  return wrap(handle)
end
function io.output(file)
  if file then defaultOutput = type(file) == "string" and assert(io.open(file, "w")) or file end
  return defaultOutput
end
function io.input(file)
  if file then defaultInput = type(file) == "string" and assert(io.open(file, "r")) or file end
  return defaultInput
end
function io.write(...) return defaultOutput:write(...) end
function io.read(...) return defaultInput:read(...) end
function io.close(file) return (file or defaultOutput):close() end
function io.lines(path, ...)
  local file, message = defaultInput, nil
  if path then file, message = io.open(path, "r") end
  if file == nil then error(message, 2) end
  return file:lines(...)
end
function io.type(file)
  if getmetatable(file) ~= File then return nil end
  return file.isClosed and "closed file" or "file"
end

function loadfile(path, mode, env)
  check(1, path, "string")
  -- The older form is loadfile(path, env).
  if type(mode) == "table" and env == nil then mode, env = nil, mode end
  local code, message = host.readFile(path, true)
  if code == nil then return nil, message end
  return load(code, "@/" .. host.combine(path), mode, env or _G)
end
function dofile(path)
  local f, message = loadfile(path)
  if f == nil then error(message, 2) end
  return f()
end

package = { loaded = {}, preload = {}, path = "?;?.lua;?/init.lua;/rom/modules/main/?;/rom/modules/main/?.lua;/rom/modules/main/?/init.lua", config = "/\n;\n?\n!\n-" }
for _, name in ipairs({ "bit32", "coroutine", "math", "package", "string", "table", "utf8" }) do package.loaded[name] = _G[name] end
local expect = host.expect
package.preload["cc.expect"] = function() return expect end
require = function(name)
  check(1, name, "string")
  local loaded = package.loaded
  if loaded[name] ~= nil then return loaded[name] end
  local loader, where = package.preload[name], nil
  local tried = { "\n  no field package.preload['" .. name .. "']" }
  if loader == nil then
    for pattern in package.path:gmatch("[^;]+") do
      local path = pattern:gsub("%?", (name:gsub("%.", "/")))
      if path:sub(1, 1) ~= "/" then path = shell.dir() .. "/" .. path end
      if host.exists(path) and not host.isDir(path) then
        local message
        loader, message = loadfile(path)
        if loader == nil then error("module '" .. name .. "': " .. message, 2) end
        where = path
        break
      end
      tried[#tried + 1] = "\n  no file '" .. host.combine(path) .. "'"
    end
    if loader == nil then error("module '" .. name .. "' not found:" .. table.concat(tried), 2) end
  end
  loaded[name] = true
  local value = loader(name, where)
  if value ~= nil then loaded[name] = value end
  return loaded[name]
end
`;
