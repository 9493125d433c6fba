-- For wrk: 16 requests in one write.
local requests

init = function()
  requests = string.rep(wrk.format("GET", "/hello"), 16)
end

request = function() return requests end
