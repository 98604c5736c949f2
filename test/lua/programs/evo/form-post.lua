-- A form with its answer.
local server = require("HttpServer")()

local function decode(text)
	return (text:gsub("+", " "):gsub("%%(%x%x)", function(code)
		return string.char(tonumber(code, 16))
	end))
end
local function parse(body)
	local fields = {}
	for _, pair in ipairs(string.explode(body, "&")) do
		local name, value = pair:match("^([^=]*)=?(.*)$")
		fields[decode(name)] = decode(value)
	end
	return fields
end
local function escape(text)
	return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

server:AddRoute("/", "GET")
server:AddRoute("/", "POST")
function server:HTTP_REQUEST_FINISHED(_, payload)
	local id = payload.clientID
	if self:GetRequestMethod(id) == "GET" then
		self:WriteHeader(id, "Content-Type", "text/html; charset=utf-8")
		self:SendResponse(id, '<form method="post"><input name="who"><button>Greet</button></form>')
		return
	end
	if self:GetRequestHeader(id, "content-type") ~= "application/x-www-form-urlencoded" then
		self:WriteStatus(id, "415 Unsupported Media Type")
		self:SendResponse(id)
		return
	end
	self:WriteHeader(id, "Content-Type", "text/html; charset=utf-8")
	local fields = parse(payload.message)
	self:SendResponse(id, "<p>Hello, " .. escape(fields.who or "nobody") .. "!</p>")
end
print("listening on " .. server:StartListening(tonumber((...))))
