/** Libraries of the runtime, and its additions to those of Lua. */
export const EVO_LIBRARIES: string = String.raw`
local host = host
local check, preload = host.check, package.preload
local type, tostring, error, pairs, ipairs, select = type, tostring, error, pairs, ipairs, select

EVO_VERSION = "v0.0.0-portico"
format = string.format
function printf(...) print(string.format(...)) end

function string.explode(inputString, delimiter)
  check(inputString, "string", "inputString")
  if delimiter ~= nil then check(delimiter, "string", "delimiter") end
  local tokens = {}
  -- Each character of the delimiter separates.
  local class = delimiter == nil and "%s" or delimiter:gsub("[%^%]%-%%]", "%%%0")
  for token in inputString:gmatch("[^" .. class .. "]+") do tokens[#tokens + 1] = token end
  return tokens
end
local UNITS = { "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" }
function string.filesize(fileSizeInBytes)
  if fileSizeInBytes <= 0 then return "0 bytes" end
  if fileSizeInBytes < 1024 then return ("%d bytes"):format(fileSizeInBytes) end
  local size, unit = fileSizeInBytes / 1024, 1
  while size >= 1024 and unit < #UNITS do size, unit = size / 1024, unit + 1 end
  return (unit == 1 and "%d %s" or "%.2f %s"):format(size, UNITS[unit])
end
function string.capitalize(text) return (text:gsub("^%l", string.upper)) end
function string.diff(first, second)
  local lines = { {}, {} }
  for line in (first .. "\n"):gmatch("(.-)\n") do table.insert(lines[1], line) end
  for line in (second .. "\n"):gmatch("(.-)\n") do table.insert(lines[2], line) end
  local result = {}
  for i = 1, math.max(#lines[1], #lines[2]) do
    local a, b = lines[1][i], lines[2][i]
    if a == b then result[#result + 1] = "  " .. a else
      if a then result[#result + 1] = "- " .. a end
      if b then result[#result + 1] = "+ " .. b end
    end
  end
  return table.concat(result, "\n")
end

function table.contains(t, value)
  check(t, "table", "table")
  for i = 1, #t do if t[i] == value then return true end end
  return false
end
function table.count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end
function table.scopy(t)
  local copy = {}
  for k, v in pairs(t) do copy[k] = v end
  return copy
end
function table.copy(t)
  local copy = {}
  for k, v in pairs(t) do copy[k] = type(v) == "table" and table.copy(v) or v end
  return copy
end
function table.reverse(tableToReverse)
  check(tableToReverse, "table", "tableToReverse")
  local copy, n = {}, #tableToReverse
  for i = 1, n do copy[i] = tableToReverse[n + 1 - i] end
  return copy
end
function table.invert(t)
  local inverse = {}
  for k, v in pairs(t) do inverse[v] = k end
  return inverse
end
function table.new() return {} end
function table.clear(t) for k in pairs(t) do t[k] = nil end end
preload["table.new"] = function() return table.new end
preload["table.clear"] = function() return table.clear end

local function sortedKeys(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
    return type(a) == "number" or type(b) ~= "number" and tostring(a) < tostring(b)
  end)
  return keys
end
local function inspect(value, indent, seen)
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  if seen[value] then return "<table " .. seen[value] .. ">" end
  seen.count = seen.count + 1
  seen[value] = seen.count
  local inner, parts, n = indent .. "  ", {}, #value
  for i = 1, n do parts[i] = inspect(value[i], inner, seen) end
  for _, k in ipairs(sortedKeys(value)) do
    if not (type(k) == "number" and k >= 1 and k <= n and k % 1 == 0) then
      local name = type(k) == "string" and k:find("^[%a_][%w_]*$") and k or "[" .. inspect(k, inner, seen) .. "]"
      parts[#parts + 1] = name .. " = " .. inspect(value[k], inner, seen)
    end
  end
  if #parts == 0 then return "{}" end
  if #parts == n then return "{ " .. table.concat(parts, ", ") .. " }" end
  return "{\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. indent .. "}"
end
local function show(value) return inspect(value, "", { count = 0 }) end
function debug.dump(object)
  local text = show(object)
  print(text)
  return text
end
dump = debug.dump
host.show = show
preload.inspect = function() return setmetatable({ inspect = show }, { __call = function(_, value) return show(value) end }) end

-- string.buffer of LuaJIT.
local Buffer = {}
Buffer.__index = Buffer
local function joined(self)
  local list = self.list
  if #list > 1 then
    list = { table.concat(list) }
    self.list = list
  end
  return list[1] or ""
end
local function replace(self, text)
  self.list = text == "" and {} or { text }
  return self
end
function Buffer:put(...)
  for i = 1, select("#", ...) do self.list[#self.list + 1] = tostring((select(i, ...))) end
  return self
end
function Buffer:putf(...) return self:put(string.format(...)) end
function Buffer:set(text) return replace(self, tostring(text)) end
function Buffer:reset() return replace(self, "") end
function Buffer:free() replace(self, "") end
function Buffer:skip(n) return replace(self, joined(self):sub(n + 1)) end
function Buffer:get(...)
  if select("#", ...) == 0 then
    local text = joined(self)
    replace(self, "")
    return text
  end
  local taken = {}
  for i = 1, select("#", ...) do
    local n, text = select(i, ...), joined(self)
    taken[i] = n == nil and text or text:sub(1, n)
    replace(self, text:sub(#taken[i] + 1))
  end
  return table.unpack(taken)
end
Buffer.tostring = joined
Buffer.__tostring = joined
Buffer.__len = function(self) return #joined(self) end
Buffer.__concat = function(a, b) return tostring(a) .. tostring(b) end
buffer = { new = function() return setmetatable({ list = {} }, Buffer) end }
string.buffer = buffer
preload["string.buffer"] = function() return buffer end

path.posix, path.win32 = path, path
preload.path = function() return path end

local uuid = { RFC_STRING_PATTERN = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$" }
uuid.createBasicUUID, uuid.createMersenneTwistedUUID, uuid.createSystemUUID = host.uuid, host.uuid, host.uuid
uuid.createNameBasedUUID = host.namedUuid
function uuid.isCanonical(input) return type(input) == "string" and input:find(uuid.RFC_STRING_PATTERN) ~= nil end
preload.uuid = function() return uuid end

local null = setmetatable({}, { __tostring = function() return "null" end })
local Array, Object = { __jsontype = "array" }, { __jsontype = "object" }
local json = { null = null, _VERSION = "1.0.0" }
function json.version() return "1.0.0" end
function json.array(t) return setmetatable(t or {}, Array) end
function json.object(t) return setmetatable(t or {}, Object) end
function json.decode(text) return host.parseJson(text, null) end
json.parse = json.decode
function json.encode(value, options)
  options = options or {}
  return host.writeJson(value, null, Array, options.pretty and "    " or "", options.sort_keys == true)
end
json.stringify = json.encode
local function pretty(value, indent)
  if type(value) == "string" then
    local message
    value, message = json.decode(value)
    if value == nil then return nil, message end
  elseif type(value) ~= "table" then return nil, "string or table expected, got " .. type(value) end
  return host.writeJson(value, null, Array, indent, true)
end
function json.pretty(value) return pretty(value, "    ") end
function json.prettier(value) return pretty(value, "\t") end
function json.load(path)
  local text, message = host.readFile(path)
  if text == nil then return nil, message end
  return json.decode(text)
end
function json.dump(value, path, options) return host.writeFile(path, json.encode(value, options)) end
preload.json = function() return json end

function extend(child, parent)
  local meta = {}
  for k, v in pairs(getmetatable(parent) or {}) do meta[k] = v end
  meta.__index = parent
  return setmetatable(child, meta)
end
preload.evo = function() return { extend = extend } end
preload.ffi = function() error("the module ffi of LuaJIT is not available: programs cannot call native code", 0) end
preload.console = function() return { printf = printf } end

local validation = {}
for name, wanted in pairs({ String = "string", Number = "number", Table = "table", Boolean = "boolean", Function = "function", Thread = "thread", UserData = "userdata" }) do
  validation["validate" .. name] = function(value, label) check(value, wanted, label) end
end
preload.validation = function() return validation end

local transform = {}
for name, code in pairs({ black = 30, red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, cyan = 36, white = 37, gray = 90, bold = 1, underline = 4 }) do
  transform[name] = function(text) return ("\27[%dm%s\27[0m"):format(code, text) end
end
function transform.strip(text) return (text:gsub("\27%[[%d;]*m", "")) end
preload.transform = function() return transform end
`;
