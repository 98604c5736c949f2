-- Two servers in parallel; the first to stop ends the program.
local first, second = ...
local count = 0
local function handler(name)
  return function(req, res)
    count = count + 1
    res.write(name .. " " .. count)
    res.close()
    return req.getURL() == "/stop"
  end
end
local ended = parallel.waitForAny(function()
  http.listen(tonumber(first), handler("first"))
end, function()
  http.listen(tonumber(second), handler("second"))
end)
print("ended", ended)
