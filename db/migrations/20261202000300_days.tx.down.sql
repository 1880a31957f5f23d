ALTER TABLE mailings DROP weekdays, DROP skip_holidays;
