-- Timers next to a server. The callback waits, and loses no request meanwhile.
local ticks, port = 0, tonumber((...))
parallel.waitForAny(function()
  while true do
    sleep(0.01)
    ticks = ticks + 1
  end
end, function()
  http.listen(port, function(req, res)
    if req.getURL() == "/slow" then sleep(0.1) end
    res.write(req.getURL() == "/ticks" and ticks or "done " .. req.getURL())
    res.close()
    return req.getURL() == "/stop"
  end)
end)
print("stopped", ticks > 0)
