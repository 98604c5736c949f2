-- wrk: DEPTH requests in one write; wrk counts every answer. usage: wrk -s pipeline.lua URL -- DEPTH
local burst

function init(args)
  local depth = tonumber(args[1]) or 16
  local requests = {}
  for i = 1, depth do
    requests[i] = wrk.format()
  end
  burst = table.concat(requests)
end

function request()
  return burst
end
