-- Changes the index of one owner's sessions in one atomic step. The contract stands in
-- docs/protocol.md, "owner". KEYS[1] the index; ARGV: the step, 8 bytes that come back with the
-- answer, and what the step needs. An entry is 25 bytes, the session key, a state and a moment; its
-- score is the session's absolute deadline.
local key, step, echo = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local MARGIN = 60000

local function number(value)
  return string.format('%.0f', value)
end

redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. number(now - MARGIN))

local function entries()
  local flat, found = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), {}
  for at = 1, #flat, 2 do
    local entry = flat[at]
    if #entry == 25 then
      found[#found + 1] = {
        entry = entry, session = string.sub(entry, 1, 16), state = string.sub(entry, 17, 17),
        moment = struct.unpack('>I8', entry, 18), deadline = tonumber(flat[at + 1]),
      }
    end
  end
  return found
end

-- An entry counts where its session was signed in, or nobody knows what became of its sign-in.
local function counts(it)
  return it.state == 's' or (it.state == 'p' and it.moment < now)
end

local function counting()
  local count = 0
  for _, it in ipairs(entries()) do
    if counts(it) then
      count = count + 1
    end
  end
  return count
end

local function put(session, state, moment, deadline)
  redis.call('ZADD', key, number(deadline), session .. state .. struct.pack('>I8', moment))
end

local function each(list, size, act)
  for at = 1, #list, size do
    act(string.sub(list, at, at + size - 1))
  end
end

local function remove(entry)
  redis.call('ZREM', key, entry)
end

local outcome = 'D'
if step == 'E' then
  local session, lifetime, pending, most = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
  local others, before, deadline = 0, {}, now + lifetime + pending
  for _, it in ipairs(entries()) do
    if it.session == session then
      before[#before + 1] = it.entry
      deadline = math.max(deadline, it.deadline)
    elseif it.state ~= 'x' then
      others = others + 1
    end
  end
  if most ~= '' and others >= tonumber(most) then
    outcome = 'F'
  else
    for _, entry in ipairs(before) do
      remove(entry)
    end
    put(session, 'p', now + pending, deadline)
  end
elseif step == 'S' then
  local session, deadline, most = ARGV[3], tonumber(ARGV[4]), ARGV[5]
  local before = {}
  for _, it in ipairs(entries()) do
    if it.session == session then
      before[#before + 1] = it.entry
      if it.state == 'x' then
        outcome = 'X'
      end
    end
  end
  if outcome ~= 'X' then
    for _, entry in ipairs(before) do
      remove(entry)
    end
    put(session, 's', now, deadline)
    if most ~= '' and counting() > tonumber(most) then
      outcome = 'F'
    end
  end
elseif step == 'C' then
  local session, most, over, candidates = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
  each(over, 25, remove)
  local present, standing = false, {}
  for _, it in ipairs(entries()) do
    standing[it.entry] = counts(it) and it or nil
    present = present or (it.session == session and counts(it))
  end
  if not present then
    outcome = 'X'
  else
    local too_many = counting() - most
    each(candidates, 25, function(entry)
      local it = standing[entry]
      if it and too_many > 0 then
        remove(entry)
        put(it.session, 'x', now, it.deadline)
        too_many = too_many - 1
      end
    end)
  end
elseif step == 'R' then
  each(ARGV[3], 25, remove)
elseif step == 'L' then
  local gone = {}
  each(ARGV[3], 16, function(session)
    gone[session] = true
  end)
  for _, it in ipairs(entries()) do
    if gone[it.session] then
      remove(it.entry)
    end
  end
end

local parts, last = { outcome, struct.pack('>I8', now), echo }, 0
for _, it in ipairs(entries()) do
  parts[#parts + 1] = it.entry .. struct.pack('>I8', it.deadline)
  last = math.max(last, it.deadline)
end
if last > 0 and (step == 'E' or step == 'S') then
  redis.call('PEXPIREAT', key, number(last + MARGIN + 1))
end
return table.concat(parts)
