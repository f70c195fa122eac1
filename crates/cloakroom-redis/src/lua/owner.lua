-- Changes the index of one owner's sessions in one atomic step. The contract stands in
-- docs/protocol.md, "owner". KEYS[1] the index; ARGV: the step, 8 bytes that come back with the
-- answer, and what the step needs. An entry is 25 bytes, the session key, a state and a moment; its
-- score is the session's absolute deadline, or later. Every step may be sent twice.
local key, step, echo = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local MARGIN, CAPACITY = 60000, 2000

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
  elseif #entry == 25 and string.find('psrx', string.sub(entry, 17, 17), 1, true) then
    index[#index + 1] = {
      entry = entry, session = string.sub(entry, 1, 16), state = string.sub(entry, 17, 17),
      moment = struct.unpack('>I8', entry, 18), deadline = deadline,
    }
  end
end

-- An entry counts where its session was signed in, or nobody knows what became of its sign-in.
local function counts(it)
  return it.state == 's' or it.state == 'r' or (it.state == 'p' and it.moment < now)
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
  local rest = {}
  for _, it in ipairs(index) do
    if is_meant(it) then
      redis.call('ZREM', key, it.entry)
    else
      rest[#rest + 1] = it
    end
  end
  index = rest
end

-- Gives an entry another state, and a deadline.
local function put(it, state, moment, deadline)
  if it.entry then
    redis.call('ZREM', key, it.entry)
  else
    index[#index + 1] = it
  end
  it.entry = it.session .. state .. struct.pack('>I8', moment)
  it.state, it.moment, it.deadline = state, moment, deadline
  redis.call('ZADD', key, number(deadline), it.entry)
end

-- The parts of a list, each of so many bytes.
local function parts(list, size)
  local found = {}
  for at = 1, #list, size do
    found[string.sub(list, at, at + size - 1)] = true
  end
  return found
end

local outcome, session, this = 'D', ARGV[3], nil
for _, it in ipairs(index) do
  if it.session == session then
    this = it
  end
end

local function judge(most)
  if most ~= '' and counting() > tonumber(most) then
    outcome = 'F'
  end
end

if step == 'E' then
  local lifetime, pending, most = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
  local others = 0
  for _, it in ipairs(index) do
    if it ~= this and it.state ~= 'x' then
      others = others + 1
    end
  end
  local is_in = this and counts(this)
  if this and this.state == 'x' then
    outcome = 'X'
  elseif (not this and #index >= CAPACITY)
    or (not is_in and most ~= '' and others >= tonumber(most)) then
    outcome = 'F'
  else
    local state = is_in and 'r' or 'p'
    local deadline = now + pending + lifetime
    this = this or { session = session, deadline = deadline }
    put(this, state, now + pending, math.max(deadline, this.deadline))
  end
elseif step == 'S' then
  local deadline = tonumber(ARGV[4])
  if not this or this.state == 'x' then
    outcome = 'X'
  else
    put(this, 's', now, math.max(deadline, this.deadline))
    judge(ARGV[5])
  end
elseif step == 'C' then
  local most, over, candidates = ARGV[4], parts(ARGV[5], 25), ARGV[6]
  remove(function(it)
    return over[it.entry]
  end)
  local standing, present = {}, false
  for _, it in ipairs(index) do
    if counts(it) then
      standing[it.session] = it
      present = present or it.session == session
    end
  end
  if not present then
    outcome = 'X'
  else
    local too_many = counting() - tonumber(most)
    for at = 1, #candidates, 16 do
      local it = standing[string.sub(candidates, at, at + 15)]
      if it and too_many > 0 and it.state ~= 'x' then
        put(it, 'x', now, it.deadline)
        too_many = too_many - 1
      end
    end
    judge(most)
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
else
  outcome = '?'
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
