-- How an owner's list of clients looks: which columns it has beside those of fields (fields.listed), NULL: the first ones; and when it
-- last asked for the last email, for which results of runs are counted (db/results.go).
CREATE TABLE client_lists (
    owner_id         bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    columns          text[],
    results_asked_at timestamptz
);
