-- The files of a folder, byte by byte.
local types = { html = "text/html", css = "text/css" }
local function serve(req, res)
  local path = fs.combine("site", (req.getURL():gsub("?.*", "")))
  if fs.isDir(path) then path = fs.combine(path, "index.html") end
  if not fs.exists(path) or path:sub(1, 4) ~= "site" then
    res.setStatusCode(404)
    res.write("not found")
  else
    local file = fs.open(path, "rb")
    res.setResponseHeader("Content-Type", types[path:match("%.(%w+)$")] or "application/octet-stream")
    res.write(file.readAll())
    file.close()
  end
  res.close()
end
http.listen(tonumber((...)), serve)
