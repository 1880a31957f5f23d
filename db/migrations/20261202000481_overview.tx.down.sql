DROP TABLE results_told;
ALTER TABLE users DROP monthly_results;
DROP TABLE size_days;
DROP INDEX client_days_day;
