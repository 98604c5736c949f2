-- A list of things to do, as JSON.
local HttpServer = require("HttpServer")
local json = require("json")

local server = HttpServer()
local items, lastID = {}, 0

local function reply(id, status, value)
	server:WriteStatus(id, status)
	server:WriteHeader(id, "Content-Type", "application/json")
	server:SendResponse(id, json.stringify(value))
end

local handlers = {
	["GET /items"] = function(id)
		local list = json.array()
		for i = 1, lastID do
			if items[i] then
				table.insert(list, items[i])
			end
		end
		reply(id, "200 OK", list)
	end,
	["POST /items"] = function(id, body)
		local item, message = json.parse(body)
		if type(item) ~= "table" then
			return reply(id, "400 Bad Request", { error = message or "not an object" })
		end
		lastID = lastID + 1
		item.id = lastID
		items[lastID] = item
		reply(id, "201 Created", item)
	end,
	["DELETE /items/:id"] = function(id)
		local number = tonumber(server:GetRequestURL(id):match("%d+$"))
		if not items[number] then
			return reply(id, "404 Not Found", { error = "no such item" })
		end
		items[number] = nil
		reply(id, "200 OK", { deleted = number })
	end,
}
for route in pairs(handlers) do
	local method, path = route:match("(%S+) (%S+)")
	server:AddRoute(path, method)
end

local bodies = {}
function server:HTTP_DATA_RECEIVED(event, payload)
	local id = payload.clientID
	bodies[id] = (bodies[id] or "") .. payload.message
end
function server:HTTP_REQUEST_FINISHED(event, payload)
	local id = payload.clientID
	local details = self:GetRequestDetails(id)
	local body = (bodies[id] or "") .. payload.message
	bodies[id] = nil
	handlers[details.method .. " " .. details.endpoint](id, body)
end
function server:HTTP_CONNECTION_ABORTED(event, payload)
	bodies[payload.clientID] = nil
end

printf("listening on %d", server:StartListening(tonumber((...)) or server.DEFAULT_PORT))
