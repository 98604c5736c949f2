/** The terminal as text, `textutils` and colours. */
export const CRAFTOS_TEXT: string = String.raw`
local host = host
local check = host.expect.expect
local type, tostring, pairs, ipairs, error, select = type, tostring, pairs, ipairs, error, select

-- What is written goes out as text. The position of the cursor is known, colours are not shown.
local width, height, x, y = 51, 19, 1, 1
local foreground, background = 1, 32768
term = {}
local function put(text)
  host.write(text)
end
function term.write(text)
  text = tostring(text)
  put(text)
  x = x + #text
end
function term.blit(text) term.write(text) end
function term.clear() x, y = 1, 1 end
function term.clearLine() end
function term.getCursorPos() return x, y end
function term.setCursorPos(column, line)
  check(1, column, "number")
  check(2, line, "number")
  if line > y then put(("\n"):rep(line - y)) elseif line < y or column < x then put("\n") end
  if column > 1 and (line ~= y or column < x) then put((" "):rep(column - 1)) elseif column > x then put((" "):rep(column - x)) end
  x, y = column, line
end
function term.setCursorBlink() end
function term.getCursorBlink() return false end
function term.getSize() return width, height end
function term.scroll(lines) put(("\n"):rep(lines)) end
function term.isColor() return false end
function term.setTextColor(color) foreground = color end
function term.getTextColor() return foreground end
function term.setBackgroundColor(color) background = color end
function term.getBackgroundColor() return background end
function term.setPaletteColor() end
function term.getPaletteColor() return 0, 0, 0 end
function term.nativePaletteColor() return 0, 0, 0 end
term.isColour, term.setTextColour, term.getTextColour = term.isColor, term.setTextColor, term.getTextColor
term.setBackgroundColour, term.getBackgroundColour = term.setBackgroundColor, term.getBackgroundColor
term.setPaletteColour, term.getPaletteColour = term.setPaletteColor, term.getPaletteColor
term.nativePaletteColour = term.nativePaletteColor
local native = term
function term.native() return native end
function term.current() return native end
function term.redirect() return native end

function write(text)
  text = tostring(text)
  put(text)
  local _, lines = text:gsub("\n", "")
  local last = text:match("[^\n]*$")
  y, x = math.min(height, y + lines), lines > 0 and #last + 1 or x + #last
  return lines
end
function print(...)
  local parts = { ... }
  for i = 1, select("#", ...) do parts[i] = tostring(parts[i]) end
  return write(table.concat(parts, "\t") .. "\n")
end
function printError(...)
  local parts = { ... }
  for i = 1, select("#", ...) do parts[i] = tostring(parts[i]) end
  host.writeError(table.concat(parts, "\t") .. "\n")
end
function read(_, _, _, default)
  local line = host.await(host.readLine())
  if line == nil or line == "" then return default or line end
  return line
end

colors = { white = 1, orange = 2, magenta = 4, lightBlue = 8, yellow = 16, lime = 32, pink = 64, gray = 128, lightGray = 256, cyan = 512, purple = 1024, blue = 2048, brown = 4096, green = 8192, red = 16384, black = 32768 }
function colors.combine(...) return bit32.bor(...) end
function colors.subtract(set, ...) return bit32.band(set, bit32.bnot(bit32.bor(...))) end
function colors.test(set, color) return bit32.band(set, color) == color end
function colors.packRGB(r, g, b) return math.floor(r * 255) * 65536 + math.floor(g * 255) * 256 + math.floor(b * 255) end
function colors.unpackRGB(rgb) return (rgb >> 16 & 255) / 255, (rgb >> 8 & 255) / 255, (rgb & 255) / 255 end
function colors.fromBlit(digit) local n = tonumber(digit, 16) return n and 2 ^ n end
function colors.rgb8(...) if select("#", ...) == 1 then return colors.unpackRGB(...) end return colors.packRGB(...) end
function colors.toBlit(color) return ("%x"):format(math.floor(math.log(color, 2))) end
colours = {}
for name, value in pairs(colors) do colours[name] = value end
colours.grey, colours.lightGrey = colors.gray, colors.lightGray

textutils = {}
local RESERVED = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true until while"):gmatch("%a+") do RESERVED[word] = true end
local function serialize(value, seen, indent, options)
  local kind = type(value)
  if kind == "string" then return (("%q"):format(value):gsub("\\\n", "\\n")) end
  if kind == "number" then
    if value ~= value then return "0/0" end
    if value == math.huge then return "1/0" elseif value == -math.huge then return "-1/0" end
    return value % 1 == 0 and math.abs(value) < 1e15 and ("%d"):format(value) or ("%.17g"):format(value)
  end
  if kind == "boolean" or kind == "nil" then return tostring(value) end
  if kind ~= "table" then error("Cannot serialize type " .. kind, 0) end
  if seen[value] ~= nil then
    error(seen[value] and "Cannot serialize table with recursive entries" or "Cannot serialize table with repeated entries", 0)
  end
  seen[value] = true
  if next(value) == nil then
    seen[value] = options.allow_repetitions and nil or false
    return "{}"
  end
  local compact = options.compact
  local inner = compact and "" or indent .. "  "
  local newline, space = compact and "" or "\n", compact and "" or " "
  local parts, done = {}, {}
  for i, item in ipairs(value) do
    done[i] = true
    parts[#parts + 1] = inner .. serialize(item, seen, inner, options) .. ","
  end
  local keys = {}
  for key in pairs(value) do if not done[key] then keys[#keys + 1] = key end end
  table.sort(keys, function(a, b) return type(a) == type(b) and type(a) ~= "boolean" and type(a) ~= "table" and a < b or type(a) ~= type(b) and type(a) < type(b) end)
  for _, key in ipairs(keys) do
    local name = type(key) == "string" and key:find("^[%a_][%w_]*$") and not RESERVED[key] and key
      or "[" .. space .. serialize(key, seen, inner, options) .. space .. "]"
    parts[#parts + 1] = inner .. name .. space .. "=" .. space .. serialize(value[key], seen, inner, options) .. ","
  end
  if options.allow_repetitions then seen[value] = nil else seen[value] = false end
  return "{" .. newline .. table.concat(parts, newline) .. newline .. (compact and "" or indent) .. "}"
end
function textutils.serialize(value, options)
  check(2, options, "table", "nil")
  return serialize(value, {}, "", options or {})
end
textutils.serialise = textutils.serialize
function textutils.unserialize(text)
  check(1, text, "string")
  local f = load("return " .. text, "=unserialize", "t", {})
  if f == nil then return nil end
  local ok, value = pcall(f)
  if ok then return value end
  return nil
end
textutils.unserialise = textutils.unserialize
textutils.empty_json_array = setmetatable({}, { __newindex = function() error("attempt to mutate textutils.empty_json_array", 2) end })
textutils.json_null = setmetatable({}, { __tostring = function() return "json_null" end, __newindex = function() error("attempt to mutate textutils.json_null", 2) end })
function textutils.serializeJSON(value)
  check(1, value, "table", "string", "number", "boolean")
  return host.writeJson(value, textutils.json_null, textutils.empty_json_array, "", false)
end
textutils.serialiseJSON = textutils.serializeJSON
function textutils.unserializeJSON(text, options)
  check(1, text, "string")
  return host.parseJson(text, options and options.parse_null and textutils.json_null or nil)
end
textutils.unserialiseJSON = textutils.unserializeJSON
function textutils.urlEncode(text)
  check(1, text, "string")
  text = text:gsub("\n", "\r\n"):gsub("[^%w%-%_%. ]", function(c) return ("%%%02X"):format(c:byte()) end)
  return (text:gsub(" ", "+"))
end
function textutils.formatTime(time, twentyFour)
  local hour = math.floor(time)
  local minute = math.floor((time - hour) * 60)
  if twentyFour then return ("%d:%02d"):format(hour, minute) end
  return ("%d:%02d %s"):format((hour + 11) % 12 + 1, minute, hour >= 12 and "PM" or "AM")
end
function textutils.complete() return {} end
function textutils.slowWrite(text) write(text) end
function textutils.slowPrint(text) print(text) end
function textutils.pagedPrint(text) return print(text) end
function textutils.tabulate(...)
  for _, row in ipairs({ ... }) do
    if type(row) == "table" then
      local cells = {}
      for i, cell in ipairs(row) do cells[i] = tostring(cell) end
      print(table.concat(cells, "  "))
    end
  end
end
textutils.pagedTabulate = textutils.tabulate
`;
