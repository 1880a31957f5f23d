ALTER TABLE mailings DROP interval, DROP nth, DROP holiday_moves;
