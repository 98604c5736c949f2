/** Assertions, and sections of tests. */
export const EVO_TESTS: string = String.raw`
local host = host
local show, preload = host.show, package.preload
local type, tostring, error, pairs, ipairs = type, tostring, error, pairs, ipairs

local assertions = {}
local function fail(message) error("ASSERTION FAILURE: " .. message, 3) end
local function equal(a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  for k, v in pairs(a) do if not equal(v, b[k]) then return false end end
  for k in pairs(b) do if a[k] == nil then return false end end
  return true
end
local function assertEqual(a, b)
  if not equal(a, b) then error("ASSERTION FAILURE: " .. show(a) .. " should be " .. show(b), 3) end
end
for _, kind in ipairs({ "s", "Booleans", "Bytes", "Functions", "Pointers", "Strings", "Tables" }) do
  assertions["assertEqual" .. kind] = function(a, b) assertEqual(a, b) end
end
function assertions.assertEqualNumbers(a, b, delta)
  if math.abs(a - b) > (delta or 0) then fail(show(a) .. " should be " .. show(b)) end
end
function assertions.assertTrue(value) if value ~= true then fail(show(value) .. " should be true") end end
function assertions.assertFalse(value) if value ~= false then fail(show(value) .. " should be false") end end
function assertions.assertNil(value) if value ~= nil then fail(show(value) .. " should be nil") end end
function assertions.assertThrows(code, expected)
  local ok, message = pcall(code)
  if ok then fail("the function should have raised an error") end
  message = type(message) == "string" and message:gsub("^[^\n]-:%d+: ", "") or message
  if expected ~= nil and message ~= expected then fail("the error " .. show(message) .. " should be " .. show(expected)) end
end
function assertions.assertDoesNotThrow(code)
  local ok, message = pcall(code)
  if not ok then fail("the function should not have raised the error " .. show(message)) end
end
function assertions.assertFailure(code, expected)
  local value, message = code()
  if value ~= nil then fail(show(value) .. " should be nil") end
  if expected ~= nil and message ~= expected then fail("the message " .. show(message) .. " should be " .. show(expected)) end
end
function assertions.export()
  for name, code in pairs(assertions) do if name ~= "export" then _G[name] = code end end
end
assertions.export()
preload.assertions = function() return assertions end

-- Sections of tests run where they stand, and what failed is counted.
local bdd = { depth = 0, failures = 0, passed = 0, around = { {} } }
local function hooks(name)
  return function(code) local list = bdd.around[#bdd.around] list[name] = code end
end
bdd.before, bdd.after = hooks("before"), hooks("after")
function bdd.describe(label, code)
  print(("  "):rep(bdd.depth) .. label)
  bdd.depth = bdd.depth + 1
  bdd.around[#bdd.around + 1] = {}
  local ok, message = xpcall(code, debug.traceback)
  bdd.around[#bdd.around], bdd.depth = nil, bdd.depth - 1
  if not ok then
    bdd.failures = bdd.failures + 1
    print(("  "):rep(bdd.depth + 1) .. "✗ " .. message)
  end
  if bdd.depth == 0 and bdd.failures > 0 then
    local failures = bdd.failures
    bdd.failures = 0
    error(("%d of %d tests failed"):format(failures, failures + bdd.passed), 0)
  end
end
function bdd.it(label, code)
  local ok, message = true, nil
  for _, list in ipairs(bdd.around) do if list.before then list.before() end end
  ok, message = xpcall(code, debug.traceback)
  for i = #bdd.around, 1, -1 do if bdd.around[i].after then bdd.around[i].after() end end
  print(("  "):rep(bdd.depth) .. (ok and "✓ " or "✗ ") .. label)
  if ok then bdd.passed = bdd.passed + 1 return end
  bdd.failures = bdd.failures + 1
  print(("  "):rep(bdd.depth + 1) .. tostring(message))
end
describe, it, before, after = bdd.describe, bdd.it, bdd.before, bdd.after
preload.bdd = function() return bdd end
`;
