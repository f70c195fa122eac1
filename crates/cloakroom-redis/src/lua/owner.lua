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

-- What is in the index and not over, kept in step with the server.
local index = {}
local flat = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
for at = 1, #flat, 2 do
  local entry, deadline = flat[at], tonumber(flat[at + 1])
  if deadline < now - MARGIN then
    redis.call('ZREM', key, entry)
  elseif #entry == 25 then
    index[#index + 1] = {
      entry = entry, session = string.sub(entry, 1, 16), state = string.sub(entry, 17, 17),
      moment = struct.unpack('>I8', entry, 18), deadline = deadline,
    }
  end
end

-- An entry counts where its session was signed in, or nobody knows what became of its sign-in.
local function counts(it)
  return it.state == 's' or (it.state == 'p' and it.moment < now)
end

local function counting()
  local count = 0
  for _, it in ipairs(index) do
    if counts(it) then
      count = count + 1
    end
  end
  return count
end

-- Removes all entries that are meant.
local function remove(is_meant)
  for at = #index, 1, -1 do
    if is_meant(index[at]) then
      redis.call('ZREM', key, index[at].entry)
      table.remove(index, at)
    end
  end
end

local function put(session, state, moment, deadline)
  local entry = session .. state .. struct.pack('>I8', moment)
  redis.call('ZADD', key, number(deadline), entry)
  index[#index + 1] =
    { entry = entry, session = session, state = state, moment = moment, deadline = deadline }
end

-- The parts of a list, each of so many bytes.
local function parts(list, size)
  local found = {}
  for at = 1, #list, size do
    found[string.sub(list, at, at + size - 1)] = true
  end
  return found
end

local outcome, session = 'D', ARGV[3]
local function is_this(it)
  return it.session == session
end

if step == 'E' then
  local lifetime, pending, most = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
  local others, deadline = 0, now + lifetime + pending
  for _, it in ipairs(index) do
    if is_this(it) then
      deadline = math.max(deadline, it.deadline)
    elseif it.state ~= 'x' then
      others = others + 1
    end
  end
  if most ~= '' and others >= tonumber(most) then
    outcome = 'F'
  else
    remove(is_this)
    put(session, 'p', now + pending, deadline)
  end
elseif step == 'S' then
  local deadline, most = tonumber(ARGV[4]), ARGV[5]
  for _, it in ipairs(index) do
    if is_this(it) and it.state == 'x' then
      outcome = 'X'
    end
  end
  if outcome ~= 'X' then
    remove(is_this)
    put(session, 's', now, deadline)
    if most ~= '' and counting() > tonumber(most) then
      outcome = 'F'
    end
  end
elseif step == 'C' then
  local most, over, candidates = tonumber(ARGV[4]), parts(ARGV[5], 25), ARGV[6]
  remove(function(it)
    return over[it.entry]
  end)
  local present, standing = false, {}
  for _, it in ipairs(index) do
    if counts(it) then
      standing[it.entry] = it
      present = present or is_this(it)
    end
  end
  if not present then
    outcome = 'X'
  else
    local too_many = counting() - most
    for at = 1, #candidates, 25 do
      local it = standing[string.sub(candidates, at, at + 24)]
      if it and too_many > 0 then
        remove(function(other)
          return other == it
        end)
        put(it.session, 'x', now, it.deadline)
        standing[it.entry] = nil
        too_many = too_many - 1
      end
    end
  end
elseif step == 'R' then
  local meant = parts(session, 25)
  remove(function(it)
    return meant[it.entry]
  end)
elseif step == 'L' then
  local meant = parts(session, 16)
  remove(function(it)
    return meant[it.session]
  end)
end

local answer, last = { outcome, struct.pack('>I8', now), echo }, 0
for _, it in ipairs(index) do
  answer[#answer + 1] = it.entry .. struct.pack('>I8', it.deadline)
  last = math.max(last, it.deadline)
end
if last > 0 and (step == 'E' or step == 'S') then
  redis.call('PEXPIREAT', key, number(last + MARGIN + 1))
end
return table.concat(answer)
