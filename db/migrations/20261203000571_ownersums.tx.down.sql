DROP TRIGGER owner_days_come ON mailing_days;
DROP TRIGGER owner_days_change ON mailing_days;
DROP TABLE owner_sums;
