-- Writes one record in one atomic step. The contract stands in docs/protocol.md, "commit".
-- KEYS[1] the record; ARGV: expectation ('' absent, otherwise generation and nonce of the record, or its
-- first 72 bytes), absolute timeout in ms ('' keeps the deadline, '+' before it keeps when it began),
-- idle timeout in ms, the record, how long the record lives in ms ('' its stamp is empty), and anything
-- where the connection has to hear of what others do to the record that it writes.
local key, expect, content, life, watched = KEYS[1], ARGV[1], ARGV[4], ARGV[5], ARGV[6]

-- The common case: the record is what the writer has seen, and the writer has stamped the new one.
if life ~= '' then
  local met = false
  if expect == '' then
    if watched then
      redis.call('EXISTS', key)
    end
    met = redis.call('SET', key, content, 'PX', life, 'NX')
  else
    -- No other state of a record has this nonce, so the rest is what the writer has read and checked.
    met = redis.call('GETRANGE', key, 0, 71) == expect
      and redis.call('SET', key, content, 'PX', life)
  end
  if met then
    -- Read before the write, it is told of that once; read behind it, of what others do.
    if watched then
      redis.call('EXISTS', key)
    end
    return 'S' .. string.sub(content, 57, 64)
  end
end

local absolute, idle = ARGV[2], tonumber(ARGV[3])
if #expect == 72 then
  expect = string.sub(expect, 9, 16) .. string.sub(expect, 57, 72)
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function answer(outcome, body)
  return outcome .. struct.pack('>I8', now) .. string.sub(content, 57, 64) .. body
end

local head = redis.call('GETRANGE', key, 0, 127)
local exists = #head > 0 or redis.call('EXISTS', key) == 1
if exists then
  if #head < 128 or string.sub(head, 1, 5) ~= 'CLKR\1' then
    return answer('X', '')
  end
  if string.sub(head, 113, 128) ~= string.sub(content, 113, 128) then
    return answer('X', '')
  end
  -- The key expires with the record, unless somebody has taken its expiry away.
  exists = struct.unpack('>I8', head, 41) >= now
end
if exists then
  if string.sub(head, 57, 72) == string.sub(content, 57, 72) then
    return answer('A', string.sub(head, 9, 56))
  end
  if expect == '' then
    return answer('E', '')
  end
  if expect ~= string.sub(head, 9, 16) .. string.sub(head, 57, 72) then
    return answer('C', redis.call('GET', key))
  end
elseif expect ~= '' then
  return answer('G', '')
end

local generation, created, started, deadline = 1, now, now, now + idle
if not exists and life == '' and struct.unpack('>I8', content, 9) == 1 then
  -- A session from elsewhere says when it was created; nobody knows when its owner signed in.
  created, started = math.min(struct.unpack('>I8', content, 17), now), 0
end
if exists then
  generation = struct.unpack('>I8', head, 9) + 1
  created = math.min(struct.unpack('>I8', head, 17), now)
  started = math.min(struct.unpack('>I8', head, 25), now)
  deadline = struct.unpack('>I8', head, 49)
end
if absolute ~= '' then
  deadline = now + tonumber(absolute)
  if exists and string.sub(absolute, 1, 1) ~= '+' then
    started = now
  end
end
local idle_deadline = math.min(deadline, now + idle)
local stamp = struct.pack('>I8I8I8I8I8I8', generation, created, started, now, idle_deadline, deadline)
redis.call('SET', key, content, 'PXAT', string.format('%.0f', idle_deadline))
redis.call('SETRANGE', key, 8, stamp)
return answer('A', stamp)
