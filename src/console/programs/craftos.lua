-- One computer, one queue: requests and the computer's own clock
-- come in order to a loop that reads like a script.
local port = http.addListener(0)
print("http://127.0.0.1:" .. port .. "/")

local seconds, lines = 0, 0
local timer = os.startTimer(1)
while true do
  -- Nothing happens until an event is pulled.
  local event, about, request, response = os.pullEventRaw()
  if event == "terminate" then
    break
  elseif event == "timer" and about == timer then
    seconds = seconds + 1
    timer = os.startTimer(1)
  elseif event == "http_request" then
    -- Both handles behave like files.
    response.setResponseHeader("Content-Type", "text/plain; charset=utf-8")
    if request.getMethod() == "POST" then
      local line = request.readLine() or ""
      lines = lines + 1
      response.writeLine("line " .. lines .. ", backwards: " .. line:reverse())
    else
      response.writeLine("up for " .. seconds .. " s, " .. lines .. " lines so far")
    end
    response.close()
  end
end
