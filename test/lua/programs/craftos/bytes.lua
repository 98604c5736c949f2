-- Uploads and downloads of any bytes, kept in a file.
http.listen(tonumber((...)), function(req, res)
  if req.getMethod() == "PUT" then
    local file = fs.open("data.bin", "wb")
    local part = req.read(1000)
    while part do
      file.write(part)
      part = req.read(1000)
    end
    file.close()
    res.write(fs.getSize("data.bin"))
  else
    local file = fs.open("data.bin", "rb")
    local first = file.read()
    file.seek("set", 0)
    res.setResponseHeader("X-First", first)
    res.write(file.readAll())
    file.close()
  end
  res.close()
  return req.getURL() == "/stop"
end)
