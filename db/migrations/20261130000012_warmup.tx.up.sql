-- What accounts sent in each 24 hours since they were made. counted: the day is over, and sent and failed are
-- what it came to; before, only test emails are. bounced and complained are added when they come in.
-- At most a row for each day on which an owner who is still bounded sends.
CREATE TABLE owner_days (
    owner_id   bigint  NOT NULL REFERENCES users ON DELETE CASCADE,
    day        integer NOT NULL,
    sent       bigint  NOT NULL DEFAULT 0,
    failed     bigint  NOT NULL DEFAULT 0,
    bounced    bigint  NOT NULL DEFAULT 0,
    complained bigint  NOT NULL DEFAULT 0,
    tests      integer NOT NULL DEFAULT 0,
    counted    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (owner_id, day)
);

-- A manager has lifted the limit of a new account.
ALTER TABLE users ADD lifted_at timestamptz, ADD lifted_reason text NOT NULL DEFAULT '';

-- The name that a manager let pass although it is like somebody else's; another name is judged anew.
ALTER TABLE users ADD approved_name text NOT NULL DEFAULT '', ADD approved_at timestamptz, ADD approved_reason text NOT NULL DEFAULT '';
