-- Routes, status, header fields, and a response in chunks.
local HttpServer = require("HttpServer")
local server = HttpServer()
local methods = { "GET", "POST", "OPTIONS", "DELETE", "PATCH", "PUT", "HEAD" }
for _, method in ipairs(methods) do server:AddRoute("/all/*", method) end
server:AddRoute("/users/:id", "GET")
server:AddRoute("/users/me", "GET")
server:AddRoute("/chunks")
print(pcall(server.AddRoute, server, "/users/me", "GET"))
print(pcall(server.AddRoute, server, "/x", "BREW"))
print(pcall(server.AddRoute, server, 5, "GET"))
print(#server:GetRegisteredRoutes("GET"), server:GetRegisteredRoutes("GET")[2])
function server:HTTP_REQUEST_FINISHED(_, payload)
	local id = payload.clientID
	local details = self:GetRequestDetails(id)
	self:WriteStatus(id, "202 Accepted")
	self:WriteHeader(id, "X-Endpoint", details.endpoint)
	self:WriteHeader(id, "X-Query", details.query)
	if details.endpoint == "/chunks" then
		self:WriteResponse(id, "one ")
		self:WriteResponse(id, "two ")
		self:SendResponse(id, "three")
		assertEquals(self:SendResponse(id, "again"), 0)
		assertNil(self:GetRequestDetails(id))
	else
		self:SendResponse(id, details.method .. " " .. details.url .. " " .. (details.headers["x-mine"] or "-"))
	end
end
print("listening on " .. server:StartListening(tonumber((...))))
