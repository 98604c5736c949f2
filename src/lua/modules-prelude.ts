/** Modules of the Node program. `host.await` is of the flavour. */
export const MODULES: string = `
local host = host
local preload = package.preload
local function finish(isDone, ...)
  if isDone then return ... end
  return host.await(...)
end
function host.addModule(name, functions)
  local module = {}
  for key, call in pairs(functions) do
    module[key] = function(...) return finish(call(...)) end
  end
  preload[name] = function() return module end
end
function host.callGlobal(name, ...)
  local f = host.globals()[name]
  if f == nil then error("the program has no global function " .. name, 0) end
  return f(...)
end
`;
