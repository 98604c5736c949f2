-- A list of things to do, as JSON.
local items, lastID = {}, 0
local port = http.addListener(0)
print("listening on " .. port)
local function reply(response, code, value)
  response.setStatusCode(code)
  response.setResponseHeader("Content-Type", "application/json")
  response.write(textutils.serializeJSON(value))
  response.close()
end
while true do
  local event, from, request, response = os.pullEvent("http_request")
  local method, url = request.getMethod(), request.getURL()
  if method == "POST" and url == "/items" then
    local item, message = textutils.unserializeJSON(request.readAll())
    if type(item) ~= "table" then
      reply(response, 400, { error = message })
    else
      lastID = lastID + 1
      item.id, items[lastID] = lastID, item
      reply(response, 201, item)
    end
  elseif method == "GET" and url == "/items" then
    local list = {}
    for i = 1, lastID do list[#list + 1] = items[i] end
    reply(response, 200, #list == 0 and textutils.empty_json_array or list)
  else
    reply(response, 404, { error = "nothing at " .. url })
  end
  request.close()
end
