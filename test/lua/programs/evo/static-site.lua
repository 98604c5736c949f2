-- The files of a folder.
local HttpServer = require("HttpServer")
local root = select(2, ...)
local types = { [".html"] = "text/html; charset=utf-8", [".css"] = "text/css", [".bin"] = "application/octet-stream" }

local server = HttpServer()
server:AddRoute("/*", "GET")
function server:HTTP_REQUEST_FINISHED(_, payload)
	local id = payload.clientID
	local url = self:GetRequestURL(id)
	local file = path.join(root, path.normalize(url))
	if C_FileSystem.IsDirectory(file) then
		file = path.join(file, "index.html")
	end
	if not C_FileSystem.IsFile(file) then
		self:WriteStatus(id, "404 Not Found")
		self:SendResponse(id, "There is nothing at " .. url)
		return
	end
	self:WriteHeader(id, "Content-Type", types[path.extname(file)] or "text/plain")
	self:SendResponse(id, C_FileSystem.ReadFile(file))
end
print("listening on " .. server:StartListening(tonumber((...))))
