-- What a refusal means, see domain.Class; empty for attempts that were accepted and for those before this column.
ALTER TABLE attempts ADD class text NOT NULL DEFAULT '';
UPDATE bounces SET class = 'full' WHERE class = 'mailbox';
UPDATE bounces SET class = 'policy' WHERE class = 'sender';

-- The run whose emails found the address dead, so that its suppressions can be undone. No foreign key: runs of other
-- owners may stand here, and nobody needs to look a deleted one up.
ALTER TABLE clients ADD suppressed_run bigint;
CREATE INDEX clients_suppressed_run ON clients (suppressed_run) WHERE suppressed_run IS NOT NULL;

-- Receiving domains that a run sends nothing to for a while. A row lives until the domain takes emails again or the
-- run closes.
CREATE TABLE run_holds (
    run_id bigint      NOT NULL REFERENCES runs ON DELETE CASCADE,
    domain text        NOT NULL,
    class  text        NOT NULL,
    code   smallint    NOT NULL,
    answer text        NOT NULL,
    until  timestamptz NOT NULL,
    PRIMARY KEY (run_id, domain)
);
