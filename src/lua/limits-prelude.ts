/**
 * Functions of Lua that can run for very long without a step that could be interrupted, in a form that can be. For programs
 * whose steps are limited.
 */
export const LIMITS: string = `
local host = host
local match, type, error, tostring, select, getmetatable = host.matchPattern, type, error, tostring, select, getmetatable
local sub, rep, findPlain, concat = string.sub, string.rep, string.find, table.concat
local unpack, insert, remove, sort, move = table.unpack, table.insert, table.remove, table.sort, table.move

local function textOf(value, index)
  if type(value) == "string" then return value end
  if type(value) == "number" then return tostring(value) end
  error("bad argument #" .. index .. " (string expected, got " .. type(value) .. ")", 3)
end
local function startOf(s, from)
  from = from == nil and 1 or from
  if from < 0 then from = from + #s + 1 end
  return from < 1 and 1 or from - from % 1
end
function string.find(s, pattern, from, plain)
  s, pattern, from = textOf(s, 1), textOf(pattern, 2), startOf(s, from)
  if plain or not findPlain(pattern, "[%^$*+?.(%[%%-]") then return findPlain(s, pattern, from, true) end
  return match(s, pattern, from)
end
local function captured(s, first, last, ...)
  if first == nil then return nil end
  if select("#", ...) == 0 then return sub(s, first, last) end
  return ...
end
function string.match(s, pattern, from)
  s, pattern = textOf(s, 1), textOf(pattern, 2)
  return captured(s, match(s, pattern, startOf(s, from)))
end
function string.gmatch(s, pattern)
  s, pattern = textOf(s, 1), textOf(pattern, 2)
  -- An anchor would make no sense here.
  if sub(pattern, 1, 1) == "^" then pattern = "%" .. pattern end
  local at, lastEnd = 1, nil
  local function step(first, last, ...)
    if first == nil then at = #s + 2 return nil end
    at, lastEnd = last + 1, last + 1
    return captured(s, first, last, ...)
  end
  return function() return step(match(s, pattern, at, lastEnd)) end
end
string.gfind = string.gmatch
local function replacement(kind, by, s, first, last, ...)
  local whole = sub(s, first, last)
  local key = select("#", ...) == 0 and whole or (...)
  local value
  if kind == "table" then value = by[key]
  elseif kind == "function" then
    if select("#", ...) == 0 then value = by(whole) else value = by(...) end
  else
    if not findPlain(by, "%", 1, true) then return by end
    local parts, at = {}, 1
    while true do
      local escape = findPlain(by, "%", at, true)
      parts[#parts + 1] = sub(by, at, (escape or 0) - 1)
      if escape == nil then return concat(parts) end
      local c = sub(by, escape + 1, escape + 1)
      local number = tonumber(c)
      if c == "%" then parts[#parts + 1] = c
      elseif number == nil then error("invalid use of '%' in replacement string", 3)
      elseif number == 0 then parts[#parts + 1] = whole
      elseif number == 1 and select("#", ...) == 0 then parts[#parts + 1] = whole
      elseif number > select("#", ...) then error("invalid capture index %" .. c .. " in replacement string", 3)
      else parts[#parts + 1] = tostring((select(number, ...))) end
      at = escape + 2
    end
  end
  if value == nil or value == false then return whole end
  if type(value) ~= "string" and type(value) ~= "number" then
    error("invalid replacement value (a " .. type(value) .. ")", 3)
  end
  return tostring(value)
end
function string.gsub(s, pattern, by, most)
  s, pattern = textOf(s, 1), textOf(pattern, 2)
  local kind = type(by)
  if kind == "number" then by, kind = tostring(by), "string" end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then
    error("bad argument #3 (string/function/table expected, got " .. kind .. ")", 2)
  end
  local parts, count, at, lastEnd = {}, 0, 1, nil
  local function step(first, last, ...)
    if first == nil then return false end
    parts[#parts + 1] = sub(s, at, first - 1)
    parts[#parts + 1] = replacement(kind, by, s, first, last, ...)
    count, at, lastEnd = count + 1, last + 1, last + 1
    return true
  end
  while (most == nil or count < most) and step(match(s, pattern, at, lastEnd)) do
    if sub(pattern, 1, 1) == "^" then break end
  end
  parts[#parts + 1] = sub(s, at)
  return concat(parts), count
end
function string.rep(s, n, separator)
  if s == "" and (separator == nil or separator == "") then return "" end
  return rep(s, n, separator)
end

-- In a coroutine that an error has ended, steps are no longer counted. So its variables are not closed.
local create, resume, status, close = coroutine.create, coroutine.resume, coroutine.status, coroutine.close
local function unwrap(ok, ...)
  if not ok then error(..., 0) end
  return ...
end
function coroutine.wrap(f)
  local co = create(f)
  return function(...) return unwrap(resume(co, ...)) end
end
function coroutine.close(co)
  if status(co) == "dead" then return true end
  return close(co)
end

-- A length that a metamethod returns can be any number.
local function claims(t)
  local meta = getmetatable(t)
  return type(meta) == "table" and meta.__len ~= nil
end
function table.insert(t, ...)
  if select("#", ...) ~= 2 or not claims(t) then return insert(t, ...) end
  local at, value = ...
  for i = #t, at, -1 do t[i + 1] = t[i] end
  t[at] = value
end
function table.remove(t, ...)
  if select("#", ...) == 0 or not claims(t) then return remove(t, ...) end
  local at, last = (...), #t
  local value = t[at]
  for i = at, last - 1 do t[i] = t[i + 1] end
  if at <= last then t[last] = nil end
  return value
end
function table.sort(t, isBefore)
  if not claims(t) then return sort(t, isBefore) end
  local copy = {}
  for i = 1, #t do copy[i] = t[i] end
  sort(copy, isBefore)
  for i = 1, #copy do t[i] = copy[i] end
end
function table.move(from, first, last, at, to)
  if last - first < 100000 then return move(from, first, last, at, to) end
  to = to or from
  if at > first and at <= last and to == from then
    for i = last - first, 0, -1 do to[at + i] = from[first + i] end
  else
    for i = 0, last - first do to[at + i] = from[first + i] end
  end
  return to
end
`;
