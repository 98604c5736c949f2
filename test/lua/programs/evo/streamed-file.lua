-- A large response in pieces, as fast as the client takes it.
local server = require("HttpServer")()
local size, piece = 3000000, 65536
local text = ("0123456789"):rep(piece / 10 + 1)
local streams = {}

local function contentAt(offset)
	local length = math.min(piece, size - offset)
	local start = offset % 10
	return text:sub(start + 1, start + length)
end
local function stream(id, offset)
	while offset < size do
		local chunk = contentAt(offset)
		local result = server:StreamResponse(id, chunk, size)
		if result == 2 or result == 3 then
			streams[id] = nil
			return
		end
		if result == 0 then
			return
		end
		offset = offset + #chunk
	end
end

server:AddRoute("/file", "GET")
function server:HTTP_REQUEST_FINISHED(_, payload)
	streams[payload.clientID] = true
	self:WriteHeader(payload.clientID, "Content-Type", "application/octet-stream")
	stream(payload.clientID, 0)
end
function server:HTTP_CONNECTION_WRITABLE(_, payload)
	if streams[payload.clientID] then
		stream(payload.clientID, tonumber(payload.message))
	end
end
print("listening on " .. server:StartListening(tonumber((...))))
