-- Where this database lives, so that a copy of it knows that it is one and mails nobody: the cluster, the database and
-- this very table, which gets another oid wherever a dump is restored, and the files of a private cluster. The first
-- program writes the row. There is no key: a dump restored beside it has to show, as a second row.
CREATE TABLE installation (
    cluster     text NOT NULL,
    database    oid  NOT NULL,
    relation    oid  NOT NULL,
    folder      text NOT NULL,
    secret      bytea,            -- fingerprint of the SECRET that signs the links
    held_at     timestamptz,
    held_reason text NOT NULL DEFAULT '' CHECK (held_reason IN ('', 'asked', 'copied'))
);
