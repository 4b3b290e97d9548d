/**
 * Appends a batch and moves the checkpoint, both or none: Redis runs nothing else in between, and writes the effects of a script to its
 * log as one. What could fail is looked at before the first write, because a script is not undone.
 *
 * KEYS: the checkpoint, the late streams, then the streams of the batch.
 * ARGV: sink, from, its epoch, to, its epoch, the late stream or an empty string, the longest length, then for each event the number of its
 * stream, its position, the number of values that follow, and the fields of the entry with their values.
 *
 * Returns "done", or "sink", "position", "epoch" or "stream" with what was found.
 */
export const APPEND = `
local sink, from, fromEpoch, to, epoch, late, longest = unpack(ARGV, 1, 7)
local kept = redis.call('HMGET', KEYS[1], 'sink', 'position', 'epoch')
local position = kept[2] or '0'
if kept[1] and kept[1] ~= sink then return {'sink', kept[1], position} end
if position ~= from then return {'position', position} end
if kept[3] and kept[3] ~= fromEpoch then return {'epoch', kept[3]} end

local function lastOf(key)
  if redis.call('EXISTS', key) == 0 then return '0-0' end
  local facts = redis.call('XINFO', 'STREAM', key)
  for at = 1, #facts, 2 do
    if facts[at] == 'last-generated-id' then return facts[at + 1] end
  end
end
for at = 3, #KEYS do
  local known = redis.call('HGET', KEYS[1], 'last ' .. KEYS[at]) or '0-0'
  local found = lastOf(KEYS[at])
  if known ~= found then return {'stream', KEYS[at], found, known, position} end
end

local isFirst = not kept[2]
local before = 0
if late ~= '' and not isFirst then before = tonumber(redis.call('HGET', KEYS[2], late) or '0') end
local last = before
local at = 8
while at <= #ARGV do
  local key, own, values = KEYS[tonumber(ARGV[at]) + 2], ARGV[at + 1], tonumber(ARGV[at + 2])
  if late == '' or tonumber(own) > before then
    local id = own .. '-0'
    if late ~= '' then id = from .. '-*' end
    local added = redis.call('XADD', key, 'MAXLEN', '~', longest, id, unpack(ARGV, at + 3, at + 2 + values))
    redis.call('HSET', KEYS[1], 'last ' .. key, added)
    last = tonumber(own)
  end
  at = at + 3 + values
end
-- The checkpoint stays where it is with late events, and so does its epoch.
if late == '' then redis.call('HSET', KEYS[1], 'sink', sink, 'position', to, 'epoch', epoch) end
-- Without a checkpoint everything is written again, also what was late before. After the other commands, because Redis refuses a script without
-- memory before its first change only.
if isFirst then redis.call('DEL', KEYS[2]) end
if late ~= '' and last > before then
  redis.call('HSET', KEYS[2], late, string.format('%.0f', last))
end
return {'done'}
`;
