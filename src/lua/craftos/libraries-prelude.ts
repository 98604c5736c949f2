/** Settings, hardware that is absent, the shell, and how a program is run. */
export const CRAFTOS_LIBRARIES: string = `
local host = host
local check = host.expect.expect
local type, pairs, error, pcall, load, setmetatable = type, pairs, error, pcall, load, setmetatable

settings = {}
local values, details = {}, {}
function settings.define(name, options) check(1, name, "string") details[name] = options or {} end
function settings.undefine(name) details[name] = nil end
function settings.set(name, value)
  check(1, name, "string")
  check(2, value, "number", "string", "boolean", "table")
  local wanted = details[name] and details[name].type
  if wanted and type(value) ~= wanted then error(("bad argument #2 (%s expected, got %s)"):format(wanted, type(value)), 2) end
  values[name] = value
end
function settings.get(name, default)
  check(1, name, "string")
  if values[name] ~= nil then return values[name] end
  if default ~= nil then return default end
  return details[name] and details[name].default
end
function settings.getDetails(name)
  local all = {}
  for key, value in pairs(details[name] or {}) do all[key] = value end
  all.value, all.changed = settings.get(name), values[name] ~= nil
  return all
end
function settings.unset(name) values[name] = nil end
function settings.clear() values = {} end
function settings.getNames()
  local names, seen = {}, {}
  for _, t in pairs({ values, details }) do
    for name in pairs(t) do if not seen[name] then seen[name], names[#names + 1] = true, name end end
  end
  table.sort(names)
  return names
end
function settings.load(path)
  local text = host.readFile(path or ".settings")
  local loaded = text and textutils.unserialize(text)
  if type(loaded) ~= "table" then return false end
  for name, value in pairs(loaded) do values[name] = value end
  return true
end
function settings.save(path) return (pcall(host.writeFile, path or ".settings", textutils.serialize(values))) end

-- There is no hardware.
local function none() return nil end
local function no() return false end
local function empty() return {} end
local SIDES = { "top", "bottom", "left", "right", "front", "back" }
peripheral = { getNames = empty, isPresent = no, getType = none, hasType = none, getMethods = none, wrap = none, find = none, getName = none }
function peripheral.call(name) error("No peripheral attached: " .. tostring(name), 2) end
local function zero() return 0 end
redstone = {
  getSides = function() return { table.unpack(SIDES) } end, getInput = no, getOutput = no, setOutput = none,
  getAnalogInput = zero, getAnalogOutput = zero, setAnalogOutput = none, getBundledInput = zero, getBundledOutput = zero,
  setBundledOutput = none, testBundledInput = no, getAnalogueInput = zero, getAnalogueOutput = zero, setAnalogueOutput = none,
}
rs = redstone
disk = { isPresent = no, hasData = no, getMountPath = none, getLabel = none, getID = none, hasAudio = no }
gps = { locate = none, CHANNEL_GPS = 65534 }
rednet = { CHANNEL_BROADCAST = 65535, CHANNEL_REPEAT = 65533, isOpen = no, close = none, send = no, broadcast = none, host = none, unhost = none, lookup = none }
function rednet.open(side) error("No such modem: " .. tostring(side), 2) end
function rednet.receive(_, timeout)
  if type(_) == "number" then timeout = _ end
  if timeout then os.sleep(timeout) return nil end
  while true do os.pullEvent("rednet_message") end
end
keys = {}
function keys.getName() return nil end

package.preload["cc.strings"] = function()
  local strings = {}
  function strings.wrap(text, width)
    check(1, text, "string")
    check(2, width, "number", "nil")
    width = width or term.getSize()
    local lines = {}
    for paragraph in (text .. "\\n"):gmatch("(.-)\\n") do
      local line = ""
      for word, space in paragraph:gmatch("(%S+)(%s*)") do
        if #line > 0 and #line + #word > width then lines[#lines + 1], line = line:gsub("%s+$", ""), "" end
        while #word > width do lines[#lines + 1], word = word:sub(1, width), word:sub(width + 1) end
        line = line .. word .. space
      end
      lines[#lines + 1] = line:gsub("%s+$", "")
    end
    return lines
  end
  function strings.ensure_width(line, width) return (line .. (" "):rep(width)):sub(1, width) end
  function strings.split(text, separator, plain, limit)
    local parts, at = {}, 1
    while limit == nil or #parts + 1 < limit do
      local from, to = text:find(separator, at, plain)
      if from == nil or to < from then break end
      parts[#parts + 1] = text:sub(at, from - 1)
      at = to + 1
    end
    parts[#parts + 1] = text:sub(at)
    return parts
  end
  return strings
end
package.preload["cc.pretty"] = function()
  local function text(value)
    if type(value) == "table" then
      local ok, shown = pcall(textutils.serialize, value, { allow_repetitions = true })
      return ok and shown or tostring(value)
    end
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  return {
    pretty = text, render = text, write = function(value) write(text(value)) end,
    print = function(value) print(text(value)) end, pretty_print = function(value) print(text(value)) end,
  }
end

-- Programs share the globals, and each has a table for what it sets.
local programs = {}
local function environment() return setmetatable({}, { __index = _G }) end
local folder = ""
shell = {}
local aliases = {}
function shell.dir() return folder end
function shell.setDir(path) folder = fs.combine(path) end
function shell.path() return ".:/rom/programs" end
function shell.setPath() end
function shell.resolve(path) return path:sub(1, 1) == "/" and fs.combine(path) or fs.combine(folder, path) end
function shell.resolveProgram(name)
  name = aliases[name] or name
  for _, path in ipairs({ shell.resolve(name), shell.resolve(name .. ".lua"), "rom/programs/" .. name .. ".lua" }) do
    if fs.exists(path) and not fs.isDir(path) then return path end
  end
end
function shell.getRunningProgram() return programs[#programs] end
function shell.aliases() local all = {} for name, target in pairs(aliases) do all[name] = target end return all end
function shell.setAlias(name, target) aliases[name] = target end
function shell.clearAlias(name) aliases[name] = nil end
function shell.programs() return {} end
function shell.complete() return {} end
function shell.setCompletionFunction() end
function shell.getCompletionInfo() return {} end
function shell.exit() os.shutdown() end
local function runProgram(f, name, ...)
  programs[#programs + 1] = name
  local results = table.pack(pcall(f, ...))
  programs[#programs] = nil
  return results
end
function os.run(env, path, ...)
  local f, message = loadfile(path, nil, setmetatable(env, { __index = _G }))
  if f == nil then printError(message) return false end
  local results = runProgram(f, path, ...)
  if not results[1] and results[2] ~= nil and results[2] ~= "" then printError(results[2]) end
  return results[1]
end
function shell.execute(command, ...)
  local path = shell.resolveProgram(command)
  if path == nil then printError("No such program") return false end
  return os.run({ shell = shell, arg = { [0] = command, ... } }, path, ...)
end
function shell.run(...)
  local words = {}
  for word in table.concat({ ... }, " "):gmatch("%S+") do words[#words + 1] = word end
  if #words == 0 then return false end
  return shell.execute(table.unpack(words))
end
function os.loadAPI(path)
  local env = environment()
  local f, message = loadfile(fs.exists(path) and path or path .. ".lua", nil, env)
  if f == nil then printError(message) return false end
  local ok, why = pcall(f)
  if not ok then printError(why) return false end
  local api = {}
  for name, value in pairs(env) do if name ~= "_ENV" then api[name] = value end end
  _G[fs.getName(path):gsub("%.lua$", "")] = api
  return true
end
function os.unloadAPI(name) _G[name] = nil end

-- A ROM brings APIs that are absent here. Each is loaded when a program asks for it.
if host.isDir("rom/apis") then
  local files = {}
  for _, file in ipairs(host.list("rom/apis")) do
    local name = file:match("^([%a_][%w_]*)%.lua$")
    if name == "keys" then keys = nil end
    if name and rawget(_G, name) == nil then files[name] = "rom/apis/" .. file end
  end
  setmetatable(_G, { __index = function(t, name)
    local path = files[name]
    if path == nil then return nil end
    files[name] = nil
    os.loadAPI(path)
    return rawget(t, name)
  end })
end

local globals = _G
function host.globals() return globals end
function host.main(code, name, ...)
  globals = environment()
  globals.arg = { [0] = name:gsub("^@", ""), ... }
  local f, message = load(code, name, "t", globals)
  if f == nil then error(message, 0) end
  programs[1] = name:gsub("^@", "")
  return f(...)
end
`;
