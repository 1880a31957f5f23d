-- Everybody's results by owner, kept like the other months: of 500 owners in two years 365,000 rows of days and 12,000 of
-- months, 70 MB.
CREATE TABLE owner_sums (
    whole        text   NOT NULL CHECK (whole IN ('day', 'month')),
    first        date   NOT NULL,
    owner_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    planned      bigint NOT NULL,
    accepted     bigint NOT NULL,
    deferred     bigint NOT NULL,
    failed       bigint NOT NULL,
    bounced      bigint NOT NULL,
    complained   bigint NOT NULL,
    unsubscribed bigint NOT NULL,
    opened       bigint NOT NULL,
    clicked      bigint NOT NULL,
    PRIMARY KEY (whole, first, owner_id)
);
CREATE INDEX owner_sums_owner ON owner_sums (owner_id);
CREATE TRIGGER owner_days_come AFTER INSERT ON mailing_days REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION total_days(
    'owner_sums', 'whole, first, owner_id', '''day''::text, day, owner_id',
    'owner_sums', 'whole, first, owner_id', '''month''::text, date_trunc(''month'', day)::date, owner_id');
CREATE TRIGGER owner_days_change AFTER UPDATE ON mailing_days REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION total_days(
    'owner_sums', 'whole, first, owner_id', '''day''::text, day, owner_id',
    'owner_sums', 'whole, first, owner_id', '''month''::text, date_trunc(''month'', day)::date, owner_id');
INSERT INTO owner_sums SELECT 'day', day, owner_id, sum(planned), sum(accepted), sum(deferred), sum(failed),
    sum(bounced), sum(complained), sum(unsubscribed), sum(opened), sum(clicked) FROM mailing_days GROUP BY 2, 3;
INSERT INTO owner_sums SELECT 'month', month, owner_id, sum(planned), sum(accepted), sum(deferred), sum(failed),
    sum(bounced), sum(complained), sum(unsubscribed), sum(opened), sum(clicked) FROM mailing_months GROUP BY 2, 3;
