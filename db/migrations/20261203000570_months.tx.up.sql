-- Long periods and everybody's results, kept from the sums by day as they change: by month for an owner, by day and month
-- for everybody. Triggers keep them, so that whatever writes sums by day is right, also a version that knows no months.
-- What was sent stays in everybody's after its owner has gone. Of 100 M emails of 500 owners with 20 mailings each in two
-- years 240,000 rows of mailings, 200,000 of domains of owners and less of everybody's: 0.1 GB, kept as long as the days.
CREATE TABLE mailing_months (
    owner_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    month        date   NOT NULL, -- its first day
    mailing_id   bigint NOT NULL,
    planned      bigint NOT NULL,
    accepted     bigint NOT NULL,
    deferred     bigint NOT NULL,
    failed       bigint NOT NULL,
    bounced      bigint NOT NULL,
    complained   bigint NOT NULL,
    unsubscribed bigint NOT NULL,
    opened       bigint NOT NULL,
    clicked      bigint NOT NULL,
    PRIMARY KEY (owner_id, month, mailing_id)
);
CREATE INDEX mailing_months_month ON mailing_months (month);
CREATE TABLE domain_months (
    owner_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    month        date   NOT NULL,
    domain       text   NOT NULL,
    planned      bigint NOT NULL,
    accepted     bigint NOT NULL,
    deferred     bigint NOT NULL,
    failed       bigint NOT NULL,
    bounced      bigint NOT NULL,
    complained   bigint NOT NULL,
    unsubscribed bigint NOT NULL,
    opened       bigint NOT NULL,
    clicked      bigint NOT NULL,
    PRIMARY KEY (owner_id, month, domain)
);
CREATE TABLE all_hours (
    day          date     NOT NULL,
    hour         smallint NOT NULL,
    planned      bigint   NOT NULL,
    accepted     bigint   NOT NULL,
    deferred     bigint   NOT NULL,
    failed       bigint   NOT NULL,
    bounced      bigint   NOT NULL,
    complained   bigint   NOT NULL,
    unsubscribed bigint   NOT NULL,
    opened       bigint   NOT NULL,
    clicked      bigint   NOT NULL,
    PRIMARY KEY (day, hour)
);
CREATE TABLE all_domains (
    whole        text   NOT NULL CHECK (whole IN ('day', 'month')),
    first        date   NOT NULL,
    domain       text   NOT NULL,
    planned      bigint NOT NULL,
    accepted     bigint NOT NULL,
    deferred     bigint NOT NULL,
    failed       bigint NOT NULL,
    bounced      bigint NOT NULL,
    complained   bigint NOT NULL,
    unsubscribed bigint NOT NULL,
    opened       bigint NOT NULL,
    clicked      bigint NOT NULL,
    PRIMARY KEY (whole, first, domain)
);

-- Adds what has changed in sums by day to other tables: each is told with its key and what the key is made of.
CREATE FUNCTION total_days() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved text := 'SELECT * FROM come';
    sums  text;
    added text;
    less  text;
    own   text := CASE TG_TABLE_NAME WHEN 'mailing_days' THEN 'hour' ELSE 'domain' END;
BEGIN
    SELECT string_agg(format('sum(%s)', c), ', '), string_agg(format('%1$s = known.%1$s + excluded.%1$s', c), ', '), string_agg('-' || c, ', ')
        INTO sums, added, less
        FROM unnest('{planned,accepted,deferred,failed,bounced,complained,unsubscribed,opened,clicked}'::text[]) AS c;
    IF TG_OP = 'UPDATE' THEN
        moved := moved || format(' UNION ALL SELECT owner_id, day, mailing_id, %s, %s FROM gone', own, less);
    END IF;
    FOR i IN 0 .. TG_NARGS - 1 BY 3 LOOP
        EXECUTE format('INSERT INTO %1$I AS known SELECT %3$s, %4$s FROM (%5$s) AS moved GROUP BY %3$s ON CONFLICT (%2$s) DO UPDATE SET %6$s',
            TG_ARGV[i], TG_ARGV[i + 1], TG_ARGV[i + 2], sums, moved, added);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER mailing_days_come AFTER INSERT ON mailing_days REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION total_days(
    'mailing_months', 'owner_id, month, mailing_id', 'owner_id, date_trunc(''month'', day)::date, mailing_id',
    'all_hours', 'day, hour', 'day, hour');
CREATE TRIGGER mailing_days_change AFTER UPDATE ON mailing_days REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION total_days(
    'mailing_months', 'owner_id, month, mailing_id', 'owner_id, date_trunc(''month'', day)::date, mailing_id',
    'all_hours', 'day, hour', 'day, hour');
CREATE TRIGGER domain_days_come AFTER INSERT ON domain_days REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION total_days(
    'domain_months', 'owner_id, month, domain', 'owner_id, date_trunc(''month'', day)::date, domain',
    'all_domains', 'whole, first, domain', '''day''::text, day, domain',
    'all_domains', 'whole, first, domain', '''month''::text, date_trunc(''month'', day)::date, domain');
CREATE TRIGGER domain_days_change AFTER UPDATE ON domain_days REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION total_days(
    'domain_months', 'owner_id, month, domain', 'owner_id, date_trunc(''month'', day)::date, domain',
    'all_domains', 'whole, first, domain', '''day''::text, day, domain',
    'all_domains', 'whole, first, domain', '''month''::text, date_trunc(''month'', day)::date, domain');

-- What is there already. The lock of the triggers keeps everybody else from changing it until then.
INSERT INTO mailing_months SELECT owner_id, date_trunc('month', day)::date, mailing_id, sum(planned), sum(accepted), sum(deferred), sum(failed),
    sum(bounced), sum(complained), sum(unsubscribed), sum(opened), sum(clicked) FROM mailing_days GROUP BY 1, 2, 3;
INSERT INTO all_hours SELECT day, hour, sum(planned), sum(accepted), sum(deferred), sum(failed),
    sum(bounced), sum(complained), sum(unsubscribed), sum(opened), sum(clicked) FROM mailing_days GROUP BY 1, 2;
INSERT INTO domain_months SELECT owner_id, date_trunc('month', day)::date, domain, sum(planned), sum(accepted), sum(deferred), sum(failed),
    sum(bounced), sum(complained), sum(unsubscribed), sum(opened), sum(clicked) FROM domain_days GROUP BY 1, 2, 3;
INSERT INTO all_domains SELECT 'day', day, domain, sum(planned), sum(accepted), sum(deferred), sum(failed),
    sum(bounced), sum(complained), sum(unsubscribed), sum(opened), sum(clicked) FROM domain_days GROUP BY 2, 3;
INSERT INTO all_domains SELECT 'month', date_trunc('month', first)::date, domain, sum(planned), sum(accepted), sum(deferred), sum(failed),
    sum(bounced), sum(complained), sum(unsubscribed), sum(opened), sum(clicked) FROM all_domains WHERE whole = 'day' GROUP BY 2, 3;
