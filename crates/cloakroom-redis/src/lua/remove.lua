-- Removes one record, unless it is another one than was meant. The contract stands in
-- docs/protocol.md, "remove". KEYS[1] the record; ARGV: the moment from which on a record is a newer
-- one under the same name, in ms ('' every record is meant), verifier hashes of which it must have
-- one ('' it may have any), and the session key where only a record of that session is meant: -1
-- where something else lies there.
local before, proofs, session = ARGV[1], ARGV[2], ARGV[3]
local head = redis.call('GETRANGE', KEYS[1], 0, 127)
local readable = string.sub(head, 1, 5) == 'CLKR\1' and #head == 128
if session and not (readable and string.sub(head, 113, 128) == session) then
  return #head > 0 and -1 or 0
end
if readable then
  if before ~= '' and struct.unpack('>I8', head, 17) >= tonumber(before) then
    return 0
  end
  local proof, known = string.sub(head, 81, 112), proofs == ''
  for at = 1, #proofs, 32 do
    known = known or string.sub(proofs, at, at + 31) == proof
  end
  if not known then
    return 0
  end
elseif proofs ~= '' then
  return 0
end
return redis.call('DEL', KEYS[1])
