/**
 * What Lua 5.1 has and Lua 5.4 has not, and the sandbox: nothing here reaches a file, another process or compiled code.
 * Expects the table `host` of the flavour, and leaves it in the global `host` for the chunks of the flavour.
 */
export const COMPAT: string = String.raw`
local host = host
local type, select, tostring, error, rawget, rawset, pcall, math_type =
  type, select, tostring, error, rawget, rawset, pcall, math.type
local getinfo, getupvalue, setupvalue, upvaluejoin =
  debug.getinfo, debug.getupvalue, debug.setupvalue, debug.upvaluejoin
local load, floor, fmod = load, math.floor, math.fmod

dofile, loadfile = nil, nil
debug.getregistry, debug.sethook, debug.gethook, debug.setmetatable, debug.debug = nil, nil, nil, nil, nil
debug.setuservalue, debug.getuservalue, debug.setcstacklimit, warn = nil, nil, nil, nil

-- Tables have no finalizers in Lua 5.1. Here nothing could interrupt them.
local setmetatable = setmetatable
host.setmetatable = setmetatable
function _G.setmetatable(t, meta)
  local finalizer = type(meta) == "table" and rawget(meta, "__gc")
  if not finalizer then return setmetatable(t, meta) end
  rawset(meta, "__gc", nil)
  local ok, result = pcall(setmetatable, t, meta)
  rawset(meta, "__gc", finalizer)
  if not ok then error(result, 2) end
  return result
end

_VERSION = "Lua 5.1"
math.pow = function(x, y) return x ^ y end
math.log10 = function(x) return math.log(x, 10) end
math.mod = math.fmod
math.ldexp = function(m, e) return m * 2.0 ^ e end
math.cosh = function(x) return (math.exp(x) + math.exp(-x)) / 2 end
math.sinh = function(x) return (math.exp(x) - math.exp(-x)) / 2 end
math.tanh = function(x) local a, b = math.exp(x), math.exp(-x) return a == math.huge and 1 or b == math.huge and -1 or (a - b) / (a + b) end
math.frexp = function(x)
  if x == 0 or x ~= x or x == math.huge or x == -math.huge then return x, 0 end
  local e = floor(math.log(math.abs(x), 2)) + 1
  local m = x / 2.0 ^ e
  if math.abs(m) >= 1 then m, e = m / 2, e + 1 elseif math.abs(m) < 0.5 then m, e = m * 2, e - 1 end
  return m, e
end
string.gfind = string.gmatch
table.getn = function(t) return #t end
table.maxn = function(t)
  local most = 0
  for key in next, t do if type(key) == "number" and key > most then most = key end end
  return most
end
table.foreach = function(t, f)
  for k, v in next, t do local r = f(k, v) if r ~= nil then return r end end
end
table.foreachi = function(t, f)
  for i = 1, #t do local r = f(i, t[i]) if r ~= nil then return r end end
end

-- Lua 5.1 cuts fractions off where an integer is needed.
local function whole(n)
  if math_type(n) == "float" and n == n and n ~= math.huge and n ~= -math.huge and n % 1 ~= 0 then
    return n < 0 and -floor(-n) or floor(n)
  end
  return n
end
local sub, rep, byte, char, format, random = string.sub, string.rep, string.byte, string.char, string.format, math.random
local find, match, concat, insert, remove, unpackPlain =
  string.find, string.match, table.concat, table.insert, table.remove, table.unpack
string.find = function(s, pattern, from, plain) return find(s, pattern, whole(from), plain) end
string.match = function(s, pattern, from) return match(s, pattern, whole(from)) end
table.concat = function(t, separator, i, j) return concat(t, separator, whole(i), whole(j)) end
table.insert = function(t, ...)
  if select("#", ...) ~= 2 then return insert(t, ...) end
  local at, value = ...
  return insert(t, whole(at), value)
end
table.remove = function(t, ...)
  if select("#", ...) == 0 then return remove(t) end
  return remove(t, whole((...)))
end
unpack = function(t, i, j) return unpackPlain(t, whole(i), whole(j)) end
table.unpack = unpack
string.sub = function(s, i, j) return sub(s, whole(i), whole(j)) end
string.rep = function(s, n, separator) return rep(s, whole(n), separator) end
string.byte = function(s, i, j) return byte(s, whole(i), whole(j)) end
string.char = function(...)
  local n = select("#", ...)
  if n == 1 then return char(whole((...))) end
  local codes = { ... }
  for i = 1, n do codes[i] = whole(codes[i]) end
  return char(unpack(codes, 1, n))
end
string.format = function(text, ...)
  if type(text) ~= "string" or select("#", ...) == 0 then return format(text, ...) end
  local values, at = nil, 0
  for flags, conversion in text:gmatch("%%([%-+ #0-9.]*)(%a?%%?)") do
    if conversion ~= "%" or flags ~= "" then
      at = at + 1
      if conversion:find("^[diouxXc]") then
        local value = tonumber((select(at, ...)))
        if math_type(value) == "float" then
          values = values or { ... }
          -- Beyond the integers of Lua 5.4 the digits are those of the float.
          values[at] = (value >= 2.0 ^ 63 or value < -2.0 ^ 63 or value ~= value) and math.mininteger or whole(value)
        end
      end
    end
  end
  if values == nil then return format(text, ...) end
  return format(text, unpack(values, 1, select("#", ...)))
end
math.random = function(m, n)
  if m == nil then return random() end
  if n == nil then return random(whole(m)) end
  return random(whole(m), whole(n))
end

-- Compiled code could break the machine, so only text is loaded.
_G.load = function(code, name, mode, env, ...)
  if type(code) == "function" then
    local parts = {}
    for part in code do
      if part == "" then break end
      parts[#parts + 1] = part
    end
    code = table.concat(parts)
    name = name or "=(load)"
  end
  if select("#", ...) > 0 or env ~= nil then return load(code, name, "t", env) end
  return load(code, name, "t", _G)
end
loadstring = function(code, name) return _G.load(code, name) end

local function environmentOf(f)
  for i = 1, 255 do
    local name, value = getupvalue(f, i)
    if name == "_ENV" then return i, value end
    if name == nil then return nil end
  end
end
local function functionAt(f)
  if type(f) == "function" then return f end
  local info = getinfo((f or 1) + 2, "f")
  if info == nil then error("bad argument #1 (invalid level)", 3) end
  return info.func
end
function getfenv(f)
  if f == 0 then return _G end
  local _, value = environmentOf(functionAt(f))
  return value == nil and _G or value
end
function setfenv(f, env)
  if f == 0 then error("the environment of a thread cannot be changed", 2) end
  local target = functionAt(f)
  local at = environmentOf(target)
  if at ~= nil then
    -- Other functions can share the variable: this one gets a new one.
    upvaluejoin(target, at, function() return env end, 1)
  end
  return target
end
debug.setupvalue, debug.upvaluejoin, debug.upvalueid, debug.setlocal = nil, nil, nil, nil
debug.getupvalue = nil

function newproxy(meta)
  local t = {}
  if meta == true then return setmetatable(t, {}) end
  return type(meta) == "table" and setmetatable(t, getmetatable(meta)) or t
end

-- bit32 has results from 0 to 2^32 - 1, bit of LuaJIT from -2^31 to 2^31 - 1.
local function toBits(x)
  x = tonumber(x) or error("bad argument (number expected, got " .. type(x) .. ")", 3)
  if math_type(x) == "float" then x = floor(x % 2.0 ^ 32) end
  return x & 0xFFFFFFFF
end
local function signed(x) return x >= 0x80000000 and x - 0x100000000 or x end
local function fold(combine, first, finish)
  return function(...)
    local result = first
    for i = 1, select("#", ...) do result = combine(result, toBits((select(i, ...)))) end
    return finish(result)
  end
end
local function asIs(x) return x end
local function library(finish)
  return {
    band = fold(function(a, b) return a & b end, 0xFFFFFFFF, finish),
    bor = fold(function(a, b) return a | b end, 0, finish),
    bxor = fold(function(a, b) return a ~ b end, 0, finish),
    bnot = function(x) return finish(~toBits(x) & 0xFFFFFFFF) end,
  }
end
local function rotate(x, n) x, n = toBits(x), n % 32 return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF end
local function shiftLeft(x, n) return n <= -32 and 0 or n >= 32 and 0 or n < 0 and x >> -n or (x << n) & 0xFFFFFFFF end
local function shiftRightSigned(x, n)
  if n < 0 then return shiftLeft(x, -n) end
  if n > 31 then n = 31 end
  return x < 0x80000000 and x >> n or ((x >> n) | ~(0xFFFFFFFF >> n)) & 0xFFFFFFFF
end

bit32 = library(asIs)
bit32.btest = function(...) return bit32.band(...) ~= 0 end
bit32.lshift = function(x, n) return shiftLeft(toBits(x), whole(n)) end
bit32.rshift = function(x, n) return shiftLeft(toBits(x), -whole(n)) end
bit32.arshift = function(x, n) return shiftRightSigned(toBits(x), whole(n)) end
bit32.lrotate = function(x, n) return rotate(x, whole(n)) end
bit32.rrotate = function(x, n) return rotate(x, -whole(n)) end
bit32.extract = function(x, field, width) return (toBits(x) >> field) & ((1 << (width or 1)) - 1) end
bit32.replace = function(x, v, field, width)
  local mask = (1 << (width or 1)) - 1
  return (toBits(x) & ~(mask << field) | (toBits(v) & mask) << field) & 0xFFFFFFFF
end

bit = library(signed)
bit.tobit = function(x) return signed(toBits(x)) end
bit.lshift = function(x, n) return signed(shiftLeft(toBits(x), n & 31)) end
bit.rshift = function(x, n) return signed(toBits(x) >> (n & 31)) end
bit.arshift = function(x, n) return signed(shiftRightSigned(toBits(x), n & 31)) end
bit.rol = function(x, n) return signed(rotate(x, n)) end
bit.ror = function(x, n) return signed(rotate(x, -n)) end
bit.bswap = function(x)
  x = toBits(x)
  return signed((x >> 24) | (x >> 8 & 0xFF00) | (x << 8 & 0xFF0000) | (x << 24 & 0xFF000000))
end
bit.tohex = function(x, n)
  n = n or 8
  local digits = format(n < 0 and "%08X" or "%08x", toBits(x))
  return sub(digits, -math.min(math.abs(n), 8))
end

function print(...)
  local n = select("#", ...)
  if n == 1 then host.print(tostring((...))) return end
  local texts = { ... }
  for i = 1, n do texts[i] = tostring(texts[i]) end
  host.print(table.concat(texts, "\t"))
end
`;
