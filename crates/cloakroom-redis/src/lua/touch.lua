-- Moves one record's idle deadline, and nothing else. The contract stands in docs/protocol.md,
-- "touch". KEYS[1] the record; ARGV: the session key that must stand in it.
local key, session = KEYS[1], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function answer(outcome, body)
  return outcome .. struct.pack('>I8', now) .. string.sub(session, 1, 8) .. body
end

local head = redis.call('GETRANGE', key, 0, 127)
if #head == 0 and redis.call('EXISTS', key) == 0 then
  return answer('G', '')
end
if #head < 128 or string.sub(head, 1, 5) ~= 'CLKR\1' or string.sub(head, 113, 128) ~= session then
  return answer('X', '')
end
local before, deadline, idle = struct.unpack('>I8', head, 41), struct.unpack('>I8', head, 49),
  struct.unpack('>I8', head, 73)
if before < now then
  return answer('G', '')
end
local idle_deadline = math.min(deadline, now + idle)
if idle_deadline <= before then
  return answer('U', '')
end
local times = struct.pack('>I8I8', now, idle_deadline)
redis.call('SETRANGE', key, 32, times)
redis.call('PEXPIREAT', key, string.format('%.0f', idle_deadline))
return answer('T', string.sub(head, 9, 32) .. times .. string.sub(head, 49, 56))
