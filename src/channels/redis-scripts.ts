// The scripts that run inside Redis (7 or later, or Valkey). Each function of a store is one call, which is atomic and works
// on one channel.
//
// A history is a stream whose IDs consist of the epoch and the offset. Each entry has the run ID of the server that wrote it
// (r), the bytes of all entries up to it (s) and the record (d). A restarted server, or a replica that has taken over, might
// have lost messages that clients have seen. Its run ID differs, so a new epoch begins. The entry with offset 0 only holds
// the epoch.

/** Sets `epoch`, `offset` and `sum` of the history at KEYS[1]; ARGV[1] is the epoch for a new one. */
const CURRENT = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local epoch, offset, sum
if last and last[2][2] == run then
  local dash = string.find(last[1], '-', 1, true)
  epoch, offset, sum = string.sub(last[1], 1, dash - 1), tonumber(string.sub(last[1], dash + 1)), tonumber(last[2][4])
else
  redis.call('DEL', KEYS[1])
  epoch, offset, sum = ARGV[1], 0, 0
end
`;

/** ARGV: epoch, record, maxMessages, maxBytes, maxAgeMs. */
export const APPEND: string = `${CURRENT}
offset = offset + 1
sum = sum + #ARGV[2]
redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[3], epoch .. '-' .. offset, 'r', run, 's', sum, 'd', ARGV[2])
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 2)
while #first == 2 and sum - tonumber(first[1][2][4]) + #first[1][2][6] > tonumber(ARGV[4]) do
  redis.call('XTRIM', KEYS[1], 'MINID', '=', first[2][1])
  first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 2)
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {epoch, offset}
`;

/** ARGV: epoch for a new history, known epoch, known offset, maxAgeMs, maxAgeMs of a history without messages. */
export const READ: string = `${CURRENT}
if offset == 0 then
  redis.call('DEL', KEYS[1])
  redis.call('XADD', KEYS[1], epoch .. '-0', 'r', run, 's', 0, 'd', '')
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
local from = epoch .. '-1'
if ARGV[2] == epoch then from = '(' .. epoch .. '-' .. ARGV[3] end
local answer = {epoch, offset}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], from, '+')) do
  answer[#answer + 1] = string.sub(entry[1], #epoch + 2)
  answer[#answer + 1] = entry[2][6]
end
return answer
`;

// Presence. KEYS[1] has the connections, each with its expiry, the length of the user's name, the name, and the member as
// JSON. KEYS[2] counts the connections of each user.

const PRESENCE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function put(client, user, member, ttl)
  -- Not string.format('%s'): it would end at a zero byte of the name.
  local text = string.format('%.0f %d ', now + ttl, #user) .. user .. member
  local isNew = redis.call('HSET', KEYS[1], client, text) == 1
  return isNew and redis.call('HINCRBY', KEYS[2], user, 1) == 1
end
local function drop(client, user)
  if redis.call('HDEL', KEYS[1], client) == 0 then return false end
  if redis.call('HINCRBY', KEYS[2], user, -1) > 0 then return false end
  redis.call('HDEL', KEYS[2], user)
  return true
end
local function expire(ttl)
  for _, key in ipairs(KEYS) do
    if redis.call('PTTL', key) < ttl * 2 then redis.call('PEXPIRE', key, ttl * 2) end
  end
end
`;

/** ARGV: client, user, member, ttlMs. */
export const JOIN: string = `${PRESENCE}
local isFirst = put(ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
expire(tonumber(ARGV[4]))
return isFirst and 1 or 0
`;

/** ARGV: client, user. */
export const LEAVE: string = `${PRESENCE}
return drop(ARGV[1], ARGV[2]) and 1 or 0
`;

/** ARGV: ttlMs, and for each connection: client, user, member. Returns the members, some of them more than once. */
export const KEEP: string = `${PRESENCE}
for i = 2, #ARGV, 3 do put(ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[1])) end
local members = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local expiry, length, from = string.match(all[i + 1], '^(%d+) (%d+) ()')
  local user = string.sub(all[i + 1], from, from + length - 1)
  if tonumber(expiry) <= now then drop(all[i], user)
  else members[#members + 1] = string.sub(all[i + 1], from + length) end
end
expire(tonumber(ARGV[1]))
return members
`;
