-- Owners are told of a date on the day before, once: noticed_until is the latest that they were told of.
ALTER TABLE mailings ADD noticed_until timestamptz;
ALTER TABLE users ADD no_notices boolean NOT NULL DEFAULT false;
