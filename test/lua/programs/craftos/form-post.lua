-- A form, read line by line and field by field.
local function decode(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end))
end
http.listen(tonumber((...)), function(req, res)
  local headers = req.getRequestHeaders()
  if headers["Content-Type"] ~= "application/x-www-form-urlencoded" then
    res.setStatusCode(415)
    res.close()
    return
  end
  local fields = {}
  for name, value in req.readAll():gmatch("([^&=]+)=([^&]*)") do fields[decode(name)] = decode(value) end
  req.close()
  res.setResponseHeader("X-URL", req.getURL and "known" or "unknown")
  res.writeLine("Hello, " .. (fields.who or "nobody") .. "!")
  res.close()
end)
