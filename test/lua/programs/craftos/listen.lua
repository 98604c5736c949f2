-- The shortest server.
http.listen(tonumber((...)), function(request, response)
  response.setResponseHeader("Content-Type", "text/plain")
  response.write("Hello from " .. request.getURL())
  response.write(5)
  response.close()
  return request.getURL() == "/stop"
end)
print("stopped")
