-- Adds the next block to the hash chain: at most max_events events, or one append, up to the watermark. Returns true if more are left,
-- false if none is, or another session extends the chain.
--
-- Runs as the owner, because the application role must not change the chain. The commit waits for the disk: the hash of a block may
-- be kept elsewhere, and after a crash the same events must not be in other blocks.
CREATE OR REPLACE FUNCTION synap.extend_chain(max_events integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  last_number bigint;
  last_block  synap.chain_blocks;
  next        record;
  content     record;
  block       synap.chain_blocks;
BEGIN
  SELECT e.number INTO last_number FROM synap.chain_end AS e FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  SELECT * INTO last_block FROM synap.chain_blocks AS b WHERE b.number = last_number;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'block % of the hash chain is missing', last_number USING ERRCODE = 'SY014';
  END IF;
  SELECT * INTO next FROM synap.next_appends(last_block.last_position, max_events);
  IF next.up_to IS NULL THEN
    RETURN false;
  END IF;
  SELECT * INTO content
    FROM synap.digest_between(last_block.last_position, next.up_to, next.min_timestamp, next.max_timestamp);

  block.number := last_number + 1;
  block.last_position := next.up_to;
  block.min_timestamp := next.min_timestamp;
  block.max_timestamp := next.max_timestamp;
  block.digest := content.digest;
  SELECT sum(a.count) INTO block.events
    FROM synap.appends AS a
   WHERE a.number >= last_block.last_position >> 10 AND a.number <= next.up_to >> 10
     AND a.last_position > last_block.last_position;
  block.hash := synap.block_hash(last_block.hash, block);
  INSERT INTO synap.chain_blocks SELECT (block).*;
  UPDATE synap.chain_end SET number = block.number;

  INSERT INTO synap.chained_chunks AS kept (chunk, events, min_timestamp, max_timestamp)
  SELECT c.chunk, c.events, c.min, c.max
    FROM jsonb_to_recordset(content.chunks) AS c (chunk text, events bigint, min timestamptz, max timestamptz)
  ON CONFLICT (chunk) DO UPDATE SET
    events = kept.events + EXCLUDED.events,
    min_timestamp = least(kept.min_timestamp, EXCLUDED.min_timestamp),
    max_timestamp = greatest(kept.max_timestamp, EXCLUDED.max_timestamp);
  RETURN next.more;
END
$$;

REVOKE ALL ON FUNCTION synap.extend_chain(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.extend_chain(integer) TO synap_app;
