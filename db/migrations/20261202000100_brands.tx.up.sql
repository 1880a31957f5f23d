-- How the emails and public pages of an owner look: one row an owner at most.
CREATE TABLE brands (
    owner_id   bigint      PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    name       text        NOT NULL,
    logo       text        NOT NULL,
    color      text        NOT NULL,
    ground     text        NOT NULL,
    font       text        NOT NULL,
    address    text        NOT NULL,
    reason     text        NOT NULL,
    links      text[]      NOT NULL DEFAULT '{}',
    revision   integer     NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A run keeps the brand of its emails like their words. Those that were planned before had none, which the first
-- default says without a write to any row; NULL, of a version that knows no brands, is the owner's brand of now.
ALTER TABLE runs ADD brand jsonb DEFAULT '{}';
ALTER TABLE runs ALTER brand DROP DEFAULT;
