/**
 * The views by which read models show notes: all of them, those of a user, and those that an agent or a service has written. They are
 * those of a projection's table with an owner, made here because no projection maintains the table.
 */
export const ownNotes = `
CREATE VIEW synap_read.domain_notes AS
SELECT n.* FROM synap_domain.notes AS n;

GRANT SELECT ON synap_read.domain_notes TO synap_app;

CREATE VIEW synap_read_of_user.domain_notes WITH (security_barrier) AS
SELECT n.*
  FROM synap_domain.notes AS n
 WHERE n.user_id = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_read_of_user.domain_notes');

CREATE VIEW synap_read_of_creator.domain_notes WITH (security_barrier) AS
SELECT n.*
  FROM synap_domain.notes AS n
 WHERE n.created_by = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_read_of_creator.domain_notes');
`;
