DROP TRIGGER mailing_days_come ON mailing_days;
DROP TRIGGER mailing_days_change ON mailing_days;
DROP TRIGGER domain_days_come ON domain_days;
DROP TRIGGER domain_days_change ON domain_days;
DROP FUNCTION total_days();
DROP TABLE all_domains, all_hours, domain_months, mailing_months;
