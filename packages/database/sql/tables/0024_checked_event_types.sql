-- The plan by which synap.check_issues checks the data of a type, and the schema that it was made for; or why the database can't
-- check it. A row without either was last written by an older release.
ALTER TABLE synap.event_types
  ADD COLUMN check_plan  jsonb,
  ADD COLUMN check_of    text,
  ADD COLUMN unchecked   text,
  ADD CONSTRAINT event_types_checked CHECK (check_plan IS NULL OR unchecked IS NULL);

COMMENT ON COLUMN synap.event_types.check_plan IS 'The plan by which post_event checks the data.';
COMMENT ON COLUMN synap.event_types.check_of IS 'SHA-256 of the JSON Schema that check_plan or unchecked belongs to.';
COMMENT ON COLUMN synap.event_types.unchecked IS 'Why the database can''t check the data, so that post_event refuses the type.';

-- What synap.check_issues works with. A slot is a number under which the issues of one value are collected: of a value as a
-- whole, or of one form of a union in it.
--
--   aborts  Zod gives up on the value, instead of noting a length, a limit or a format that it misses
--   parent  the path of the object whose field is refused by its name; otherwise null
CREATE TYPE synap.check_issue AS (
  slot   integer,
  path   text,
  code   text,
  reason text,
  aborts boolean,
  parent text
);

-- Values that a node of a plan has to check, each with its path and its slot.
CREATE TYPE synap.check_task AS (
  node  integer,
  vals  jsonb[],
  paths text[],
  slots integer[]
);

-- Values that a union or an intersection has to judge once its forms have been checked. The slots of the forms of the first value
-- begin at first_slot, those of the next value follow. "candidates" has the number of forms that were checked for each value.
CREATE TYPE synap.check_choice AS (
  kind       text,
  first_slot integer,
  forms      integer,
  candidates integer[],
  paths      text[],
  slots      integer[]
);
