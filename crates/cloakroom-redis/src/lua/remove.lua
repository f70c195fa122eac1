-- Removes one record again, unless it is a newer one under the same name. The contract stands in
-- docs/protocol.md, "remove". KEYS[1] the record; ARGV: the moment from which on a record is a newer
-- one, in ms.
local head = redis.call('GETRANGE', KEYS[1], 0, 23)
if string.sub(head, 1, 5) == 'CLKR\1' and #head == 24 then
  if struct.unpack('>I8', head, 17) >= tonumber(ARGV[1]) then
    return 0
  end
end
return redis.call('DEL', KEYS[1])
