-- What managers look at: whose lists grew lately, and how large the database was on each day (a row a day).
CREATE INDEX client_days_day ON client_days (day) INCLUDE (owner_id, kind, n);
CREATE TABLE size_days (
    day   date   PRIMARY KEY,
    bytes bigint NOT NULL
);
-- The email of each month: who wants it, and the month that was told last.
ALTER TABLE users ADD monthly_results boolean NOT NULL DEFAULT false;
CREATE TABLE results_told (
    user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    month   date   NOT NULL
);
